/** A viewer on a narrow link falls to what fits and comes back; nobody else notices (S1-20, S2-29, S5-43). */
import { expect } from '@playwright/test';

import { meetingTest } from '../harness/fixtures.ts';
import { Person } from '../harness/meet.ts';
import { HOST, NarrowNetwork } from '../harness/narrow-network.ts';
import { serverForThisFile } from '../harness/server.ts';

const missing = NarrowNetwork.missing();
const server = serverForThisFile(['--advertise-ip', '127.0.0.1', '--advertise-ip', HOST], '0.0.0.0');
const test = meetingTest(server);

/** Of a camera at 640×360 and a voice, a third. */
const NARROW_KBPS = 450;

test('one of three is on a link that becomes narrow, and wide again', async ({ meeting }) => {
  test.skip(missing !== undefined, missing);
  test.slow();
  const network = NarrowNetwork.open();
  const origin = `http://${HOST}:${server().httpPort}`;
  const far = await network.launch(origin);
  try {
    const ana = await meeting.join('Ana');
    const bo = await meeting.join('Bo');
    const chi = await Person.join(far, meeting.link.replace(server().url, origin), 'Chi');
    for (const viewer of [bo, chi]) {
      await viewer.pressOn(viewer.tileOf(ana), 'pin');
      await viewer.sees(viewer.tileOf(ana), ({ height }) => height === 720);
    }
    const framesAtBo = async () => (await bo.inboundOf(bo.tileOf(ana))).framesDecoded;

    const before = await framesAtBo();
    const downMs = await timed(() => {
      network.limit(NARROW_KBPS);
      return chi.sees(chi.tileOf(ana), ({ height }) => height > 0 && height <= 360);
    });
    await chi.hears(2);
    const afterFall = await bo.inboundOf(bo.tileOf(ana));
    expect(afterFall.height, 'the other viewer has what it had').toBe(720);
    expect(afterFall.framesDecoded - before, 'and all of its frames').toBeGreaterThan((downMs / 1000) * 5);

    const upMs = await timed(() => {
      network.limit(undefined);
      return chi.sees(chi.tileOf(ana), ({ height }) => height === 720);
    });
    expect((await bo.inboundOf(bo.tileOf(ana))).height).toBe(720);
    console.log(`    720 to 360 lines or fewer after ${downMs} ms, back after ${upMs} ms`);
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
