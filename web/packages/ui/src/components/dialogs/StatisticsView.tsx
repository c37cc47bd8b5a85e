import type { ReceivedStats, SentStats } from '@althing/sdk';
import type { ReactNode } from 'react';
import { useSessionState, useStats } from '../../hooks/context';
import { layerName, scalableName } from '../../model/layers';
import { bitrate, resolution } from '../../model/numbers';
import { displayName } from '../../model/person';
import { qualityWords } from '../../model/quality';

/** What is sent and received right now, in numbers. */
export function StatisticsView() {
  const stats = useStats();
  const participants = useSessionState((state) => state.participants);
  const names = new Map(participants.map((person) => [person.id, displayName(person.name)]));
  const video = stats.received.filter((stream) => stream.kind === 'video');
  const audio = stats.received.filter((stream) => stream.kind === 'audio');
  return (
    <div className="stats" data-testid="statistics-view">
      <dl className="stats__summary">
        <Figure name="Connection" value={qualityWords(stats.quality)} />
        <Figure name="Round trip" value={stats.rttMs === null ? '–' : `${Math.round(stats.rttMs)} ms`} />
        <Figure name="Sending" value={bitrate(stats.sendBps)} />
        <Figure name="Receiving" value={bitrate(stats.receiveBps)} />
        <Figure name="Could send" value={stats.availableSendBps === null ? '–' : bitrate(stats.availableSendBps)} />
        <Figure
          name="Path"
          value={
            stats.transport === null ? '–' : `${stats.transport.protocol.toUpperCase()}, ${stats.transport.localType}`
          }
        />
        <Figure name="Cipher" value={stats.transport?.srtpCipher ?? '–'} />
      </dl>
      <Sent sent={stats.sent} />
      <Received title="Pictures received" received={video} names={names} />
      <Received title="Sound received" received={audio} names={names} />
    </div>
  );
}

function Figure({ name, value }: { readonly name: string; readonly value: string }) {
  return (
    <div className="stats__figure">
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

const SOURCES: readonly (readonly [string, string])[] = [
  ['microphone', 'Microphone'],
  ['camera', 'Camera'],
  ['extra', 'Second camera'],
  ['screen', 'Screen'],
];

function sourceName(localId: string): string {
  return SOURCES.find(([prefix]) => localId.startsWith(prefix))?.[1] ?? localId;
}

function Sent({ sent }: { readonly sent: readonly SentStats[] }) {
  return (
    <section className="stats__part" aria-label="Sent">
      <h3>Sent</h3>
      {sent.length === 0 ? (
        <p className="stats__none">Nothing is sent.</p>
      ) : (
        <Wide label="Sent, all columns">
          <table data-testid="statistics-sent">
            <thead>
              <tr>
                <th scope="col">Source</th>
                <th scope="col">Layer</th>
                <th scope="col">Codec</th>
                <th scope="col">Size</th>
                <th scope="col">Frames/s</th>
                <th scope="col">Rate</th>
                <th scope="col">Loss</th>
                <th scope="col">Limited by</th>
              </tr>
            </thead>
            <tbody>
              {sent.flatMap((source) =>
                source.encodings.map((encoding, index) => (
                  <tr
                    key={`${source.localId}/${encoding.rid ?? index}`}
                    data-active={encoding.active}
                    data-source={source.localId}
                    data-rid={encoding.rid ?? ''}
                  >
                    <th scope="row">
                      <span className={index === 0 ? undefined : 'visually-hidden'}>{sourceName(source.localId)}</span>
                    </th>
                    <td>{encoding.rid ?? scalableName(encoding.scalabilityMode)}</td>
                    <td>{source.codec ?? '–'}</td>
                    <td>{source.kind === 'video' ? resolution(encoding.width, encoding.height) : '–'}</td>
                    <td>{source.kind === 'video' ? Math.round(encoding.fps) : '–'}</td>
                    <td>{encoding.active ? bitrate(encoding.bps) : 'off'}</td>
                    <td>{encoding.lossPct.toFixed(1)} %</td>
                    <td>{encoding.limitation}</td>
                  </tr>
                )),
              )}
            </tbody>
          </table>
        </Wide>
      )}
    </section>
  );
}

/** Scrolls sideways on narrow screens, by keyboard too. */
function Wide({ label, children }: { readonly label: string; readonly children: ReactNode }) {
  return (
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- what scrolls must be reachable (WCAG 2.1.1)
    <div className="stats__scroll" role="region" aria-label={label} tabIndex={0}>
      {children}
    </div>
  );
}

const LIMITS: Readonly<Record<string, string>> = {
  tile_size: 'tile',
  requested: 'choice',
  bandwidth: 'bandwidth',
  cap: 'a rule',
  inactive: 'sender',
  hidden: 'hidden',
};

/** Why the picture is no larger. A newer server may give a reason that this client does not know. */
function limitWords(reason: ReceivedStats['reason']): string {
  return LIMITS[reason ?? ''] ?? '–';
}

interface ReceivedProps {
  readonly title: string;
  readonly received: readonly ReceivedStats[];
  readonly names: ReadonlyMap<string, string>;
}

function Received({ title, received, names }: ReceivedProps) {
  if (received.length === 0) {
    return null;
  }
  const isVideo = received[0]?.kind === 'video';
  return (
    <section className="stats__part" aria-label={title}>
      <h3>{title}</h3>
      <Wide label={`${title}, all columns`}>
        <table>
          <thead>
            <tr>
              <th scope="col">From</th>
              {isVideo && <th scope="col">Layer</th>}
              <th scope="col">Codec</th>
              {isVideo && <th scope="col">Size</th>}
              {isVideo && <th scope="col">Frames/s</th>}
              <th scope="col">Rate</th>
              <th scope="col">Loss</th>
              <th scope="col">Jitter</th>
              {isVideo && <th scope="col">Freezes</th>}
              {isVideo && <th scope="col">Limited by</th>}
            </tr>
          </thead>
          <tbody>
            {received.map((stream) => (
              <tr key={stream.key} data-active={stream.bps > 0} data-stream={stream.key}>
                <th scope="row">{names.get(stream.key.split('/')[0] ?? '') ?? '–'}</th>
                {isVideo && <td>{layerName(stream.rid, stream.spatial)}</td>}
                <td>{stream.codec ?? '–'}</td>
                {isVideo && <td>{resolution(stream.width, stream.height)}</td>}
                {isVideo && <td>{Math.round(stream.fps)}</td>}
                <td>{stream.bps > 0 ? bitrate(stream.bps) : 'off'}</td>
                <td>{stream.lossPct.toFixed(1)} %</td>
                <td>{Math.round(stream.jitterMs)} ms</td>
                {isVideo && <td>{stream.freezes}</td>}
                {isVideo && <td>{limitWords(stream.reason)}</td>}
              </tr>
            ))}
          </tbody>
        </table>
      </Wide>
    </section>
  );
}
