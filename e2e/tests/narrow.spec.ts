/** A viewer on a narrow link falls to what fits and comes back; nobody else notices (S1-20, S2-29). Real rate limits. */
import { expect } from '@playwright/test';

import { meetingTest } from '../harness/fixtures.ts';
import { Person } from '../harness/meet.ts';
import { HOST, NarrowNetwork } from '../harness/narrow-network.ts';
import { serverForThisFile, TWO_UNITS } from '../harness/server.ts';
import type { Inbound } from '../harness/stats.ts';

const server = serverForThisFile([...TWO_UNITS, '--advertise-ip', '127.0.0.1', '--advertise-ip', HOST], '0.0.0.0');
const test = meetingTest(server);

/** Voices with what repairs them, and the smallest picture: not the 500 kbit/s of the medium one. */
const NARROW_KBPS = 400;
/** As large as the medium picture: the largest needs more processor time than two browsers and an encoder may have. */
const viewport = { width: 640, height: 480 };

test('one of three is on a link that becomes narrow, and wide again', async ({ meeting }) => {
  const network = NarrowNetwork.open();
  const origin = `http://${HOST}:${server().httpPort}`;
  const far = await network.launch(origin);
  try {
    const ana = await meeting.join('Ana', { viewport });
    const bo = await meeting.join('Bo', { viewport });
    const chi = await Person.join(far, meeting.link.replace(server().url, origin), 'Chi', { viewport });
    const isMedium = ({ height }: Inbound) => height === 360;
    for (const viewer of [bo, chi]) {
      // One camera is enough to look at.
      await viewer.button('cam').click();
      await viewer.pressOn(viewer.tileOf(ana), 'tile-menu');
      await viewer.button('quality-medium').click();
    }
    for (const viewer of [bo, chi]) await viewer.sees(viewer.tileOf(ana), isMedium);

    const before = await bo.inboundOf(bo.tileOf(ana));
    const downMs = await timed(() => {
      network.limit(NARROW_KBPS);
      return chi.sees(chi.tileOf(ana), ({ height }) => height === 180);
    });
    await chi.hears(2);
    const after = await bo.inboundOf(bo.tileOf(ana));
    expect(after.height, 'the other viewer has what it had').toBe(360);
    expect(after.framesDecoded - before.framesDecoded, 'and its frames').toBeGreaterThan((downMs / 1000) * 5);
    expect(after.plis - before.plis, 'and asked for nothing').toBe(0);

    const upMs = await timed(() => {
      network.limit(undefined);
      return chi.sees(chi.tileOf(ana), isMedium);
    });
    await bo.sees(bo.tileOf(ana), isMedium);
    console.log(`    the small picture after ${downMs} ms, the medium one again after ${upMs} ms`);
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
