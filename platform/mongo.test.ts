import getPort from 'get-port';
import { describe, expect, it } from 'vitest';
import { SluiceError } from './errors.js';
import { connectMongo, mongoAddress, mongoFailure } from './mongo.js';

describe('mongoAddress', () => {
  it.each([
    ['mongodb://127.0.0.1:27017/?replicaSet=rs0', '127.0.0.1:27017'],
    ['mongodb://user:p%40ss@a:1,b:2/db', 'a:1,b:2'],
    ['mongodb+srv://user:secret@cluster.example.net', 'cluster.example.net'],
    ['http://x', '(MONGODB_URI is not a mongodb:// address)'],
  ])('of %s is %s', (uri, address) => expect(mongoAddress(uri)).toBe(address));
});

describe('mongoFailure', () => {
  const failure = (fields: object): unknown =>
    mongoFailure(Object.assign(new Error('it went wrong'), fields), 'host:1');

  it.each([
    [{ code: 14031 }, 'DiskFull'],
    [{ message: 'WiredTiger: No space left on device' }, 'DiskFull'],
    [{ name: 'MongoServerSelectionError' }, 'Unreachable'],
    [{ name: 'MongoNetworkError' }, 'Unreachable'],
    [{ code: 18 }, 'Rejected'],
    [{ name: 'MongoParseError' }, 'InvalidInput'],
  ])('%j is %s', (fields, type) => expect(failure(fields)).toMatchObject({ type }));

  it('names the address', () =>
    expect(String(failure({ code: 14031 }))).toContain('MongoDB at host:1 has no disk space left'));

  it("leaves alone what is not MongoDB's", () => {
    const ours = new SluiceError('InvalidInput', 'x');
    for (const error of [ours, new TypeError('y'), 'text']) expect(mongoFailure(error, 'host:1')).toBe(error);
  });
});

describe('connectMongo', () => {
  it('says that nobody answers, where, and without the password', async () => {
    const port = await getPort();
    const uri = `mongodb://me:hunter2@127.0.0.1:${port}/?directConnection=true`;
    const failure = await connectMongo({ uri, database: 'x', serverSelectionTimeoutMs: 200 }).catch(
      (error: unknown) => error as Error,
    );
    expect(failure).toMatchObject({
      type: 'Unreachable',
      message: expect.stringContaining(`MongoDB at 127.0.0.1:${port} cannot be reached`) as string,
    });
    expect(JSON.stringify(failure) + (failure as Error).message).not.toContain('hunter2');
  });

  it('refuses an address that is none', async () => {
    await expect(connectMongo({ uri: 'localhost', database: 'x' })).rejects.toMatchObject({ type: 'InvalidInput' });
  });
});
