import { createServer, type AddressInfo, type Socket } from 'node:net';
import { Connection } from '@temporalio/client';
import { expect, it } from 'vitest';
import { callDeadlines, temporalFailure } from './grpc.js';

it('a call to a Temporal that says nothing ends at its deadline, and is told as a server that does not answer', async () => {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => void sockets.add(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const connection = Connection.lazy({ address, interceptors: callDeadlines(300, 600) });
  try {
    const start = Date.now();
    const ended = async (call: Promise<unknown>) => {
      const error = await call.then(
        () => null,
        (why: unknown) => why,
      );
      return { ms: Date.now() - start, code: (error as { code?: number } | null)?.code };
    };
    const [short, long] = await Promise.all([
      ended(connection.workflowService.describeNamespace({ namespace: 'x' })),
      ended(connection.workflowService.getWorkflowExecutionHistory({ namespace: 'x' })),
    ]);
    expect(short).toMatchObject({ code: 4 });
    expect(long).toMatchObject({ code: 4 });
    expect(short.ms).toBeLessThan(long.ms);
    expect(long.ms).toBeLessThan(5_000);
  } finally {
    await connection.close();
    for (const socket of sockets) socket.destroy();
    server.close();
  }
  const { ServiceError } = await import('@temporalio/client');
  const error = new ServiceError('x', { cause: Object.assign(new Error('y'), { code: 4, details: 'late' }) });
  expect(temporalFailure(error, address)).toMatchObject({
    type: 'Unreachable',
    message: expect.stringContaining(address) as string,
  });
  const other = new Error('z');
  expect(temporalFailure(other, address)).toBe(other);
});
