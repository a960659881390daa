import { expect, it } from 'vitest';
import { createScorerClient } from './scorer-client.js';

it('says what is wrong with a port that HTTP clients refuse', async () => {
  await expect(createScorerClient('http://127.0.0.1:1').score({})).rejects.toMatchObject({
    type: 'Unreachable',
    message: expect.stringMatching(/127\.0\.0\.1:1 cannot be reached \(HTTP clients refuse this port\)/),
  });
});
