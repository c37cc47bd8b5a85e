/** Who has a poor connection is told so, and in which direction (S5-3). */
import { expect } from '@playwright/test';

import { meetingTest } from '../harness/fixtures.ts';
import { ONE_UNIT, serverForThisFile } from '../harness/server.ts';
import { UdpPath, usePath } from '../harness/udp-path.ts';

const server = serverForThisFile(ONE_UNIT);
const test = meetingTest(server);

test('8 % of what is sent, or of what is received, is lost', async ({ meeting }) => {
  test.slow();
  const bad = await UdpPath.open(server().mediaPort);
  const ana = await meeting.join('Ana');
  const bo = await meeting.join('Bo', { prepare: (page) => usePath(page, bad) });
  await bo.seesAll([ana]);
  await ana.seesAll([bo]);
  const hint = bo.button('poor-link');
  for (const [direction, words] of [
    ['up', 'Your connection is poor (uplink).'],
    ['down', 'Your connection is poor (downlink).'],
  ] as const) {
    await expect(hint).toHaveCount(0);
    bad.loseOfAll(direction, 12);
    await expect(hint).toContainText(words);
    await expect(ana.button('poor-link')).toHaveCount(0);
    bad.loseOfAll(direction, 0);
    await expect(hint).toHaveCount(0);
  }
  bad.close();
});
