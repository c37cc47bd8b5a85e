/** What one receiver loses is repaired for that one, by the program; nobody else hears of it (S2-33). */
import { expect } from '@playwright/test';

import { meetingTest } from '../harness/fixtures.ts';
import { type Person } from '../harness/meet.ts';
import { ONE_UNIT, serverForThisFile } from '../harness/server.ts';
import { report } from '../harness/stats.ts';
import { UdpPath, usePath } from '../harness/udp-path.ts';

const server = serverForThisFile(ONE_UNIT);
const test = meetingTest(server);

test('one in twenty packets to one receiver is lost', async ({ meeting }) => {
  const bad = await UdpPath.open(server().mediaPort);
  const ana = await meeting.join('Ana');
  const bo = await meeting.join('Bo', { prepare: (page) => usePath(page, bad) });
  const chi = await meeting.join('Chi');
  await bo.seesAll([ana, chi]);
  await chi.seesAll([ana, bo]);

  const atSender = await repairsAskedOf(ana);
  const before = await retransmittedTo(bo, ana);
  const beforeAtChi = await retransmittedTo(chi, ana);
  bad.lose(20);
  await expect.poll(() => retransmittedTo(bo, ana)).toBeGreaterThan(before + 20);
  await bo.sees(bo.tileOf(ana));
  await chi.sees(chi.tileOf(ana));
  expect(await retransmittedTo(chi, ana)).toBe(beforeAtChi);
  expect(await repairsAskedOf(ana)).toBe(atSender);
  bad.close();
});

async function retransmittedTo(viewer: Person, other: Person): Promise<number> {
  return (await viewer.inboundOf(viewer.tileOf(other))).retransmitted;
}

/** How often the sender of a camera was asked to send something again. */
async function repairsAskedOf(person: Person): Promise<number> {
  const sent = (await report(person.page)).outbound.filter((encoding) => encoding.kind === 'video');
  return sent.reduce((sum, encoding) => sum + encoding.nacks, 0);
}
