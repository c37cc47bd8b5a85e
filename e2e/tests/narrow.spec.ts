/** A viewer on a narrow link falls to what fits and comes back; nobody else notices (S1-20, S2-29, S5-43). */
import { expect } from '@playwright/test';

import { meetingTest } from '../harness/fixtures.ts';
import { Person } from '../harness/meet.ts';
import { HOST, NarrowNetwork } from '../harness/narrow-network.ts';
import { serverForThisFile, TWO_UNITS } from '../harness/server.ts';
import type { Inbound } from '../harness/stats.ts';

const server = serverForThisFile([...TWO_UNITS, '--advertise-ip', '127.0.0.1', '--advertise-ip', HOST], '0.0.0.0');
const test = meetingTest(server);

/** Two voices and small pictures. */
const NARROW_KBPS = 350;

test('one of three is on a link that becomes narrow, and wide again', async ({ meeting }) => {
  test.slow();
  const network = NarrowNetwork.open();
  const origin = `http://${HOST}:${server().httpPort}`;
  const far = await network.launch(origin);
  try {
    const ana = await meeting.join('Ana');
    const bo = await meeting.join('Bo');
    const chi = await Person.join(far, meeting.link.replace(server().url, origin), 'Chi');
    // A machine that is short of processor sends no largest picture; what counts is who falls and who does not.
    const large = ({ height }: Inbound) => height >= 360;
    for (const viewer of [bo, chi]) {
      await viewer.pressOn(viewer.tileOf(ana), 'pin');
      await viewer.sees(viewer.tileOf(ana), large);
    }
    const before = await bo.inboundOf(bo.tileOf(ana));
    const downMs = await timed(() => {
      network.limit(NARROW_KBPS);
      return chi.sees(chi.tileOf(ana), (stream) => stream.height > 0 && !large(stream));
    });
    await chi.hears(2);
    const after = await bo.inboundOf(bo.tileOf(ana));
    expect(after.height, 'the other viewer has what it had').toBeGreaterThanOrEqual(before.height);
    expect(after.framesDecoded - before.framesDecoded, 'and its frames').toBeGreaterThan((downMs / 1000) * 5);

    const upMs = await timed(() => {
      network.limit(undefined);
      return chi.sees(chi.tileOf(ana), large);
    });
    await bo.sees(bo.tileOf(ana), large);
    console.log(`    less than 360 lines after ${downMs} ms, back after ${upMs} ms`);
  } finally {
    await far.close();
    network.close();
  }
});

async function timed(act: () => Promise<void>): Promise<number> {
  const begun = Date.now();
  await act();
  return Date.now() - begun;
}
