/** Which codec cameras are sent in, and whether the browser can send all sizes in one encoding. */
import type { Codec } from '@althing/wire';
import type { VideoCodec } from '../types';

/** Frame dependencies (AV1 RTP specification, appendix A): without it the parts of an AV1 picture cannot be told apart. */
const DEPENDENCY_DESCRIPTOR = 'https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension';

/** A header extension as `RTCRtpTransceiver` lists it (WebRTC Extensions); only Chromium has the list. */
interface HeaderExtension {
  readonly uri: string;
  direction: RTCRtpTransceiverDirection;
}

interface Extensible {
  getHeaderExtensionsToNegotiate?: () => HeaderExtension[];
  setHeaderExtensionsToNegotiate?: (extensions: HeaderExtension[]) => void;
}

/** Codecs with the wanted one first, each with what belongs to it. Null: the browser does not have it. */
export function preferred(codecs: readonly RTCRtpCodec[], wanted: VideoCodec): RTCRtpCodec[] | null {
  return first(codecs, `video/${wanted}`);
}

/** Sound in which each packet carries the one before it (RED, RFC 2198), with what it is made of. Null as above. */
export function redundant(codecs: readonly RTCRtpCodec[]): RTCRtpCodec[] | null {
  return first(codecs, 'audio/red');
}

function first(codecs: readonly RTCRtpCodec[], mimeType: string): RTCRtpCodec[] | null {
  const isWanted = (codec: RTCRtpCodec): boolean => codec.mimeType.toLowerCase() === mimeType;
  if (!codecs.some(isWanted)) return null;
  return [...codecs.filter(isWanted), ...codecs.filter((codec) => !isWanted(codec))];
}

/** Puts a codec first on a line that sends. */
export function prefer(transceiver: RTCRtpTransceiver, wanted: VideoCodec): void {
  const codecs = preferred(RTCRtpSender.getCapabilities('video')?.codecs ?? [], wanted);
  if (codecs !== null) transceiver.setCodecPreferences(codecs);
}

/**
 * What to send in place of the preferred codec: of those that all receivers can decode, the first that the browser
 * sends, VP8 as the last resort. Null: the preferred one.
 */
export function backup<T extends RTCRtpCodec>(codecs: readonly T[], demanded: readonly Codec[]): T | null {
  const found = demanded.flatMap((name) => codecs.find(({ mimeType }) => isNamed(mimeType, name)) ?? []);
  return found.find(({ mimeType }) => !isNamed(mimeType, 'vp8')) ?? found[0] ?? null;
}

/** Whether one encoding of this codec can hold several sizes. */
export function isScalable({ mimeType }: RTCRtpCodec): boolean {
  return isNamed(mimeType, 'vp9') || isNamed(mimeType, 'av1');
}

function isNamed(mimeType: string, name: Codec): boolean {
  return mimeType.toLowerCase() === `video/${name}`;
}

/** Has a line that sends speech send it twice. */
export function preferRedundancy(transceiver: RTCRtpTransceiver): void {
  const codecs = redundant(RTCRtpSender.getCapabilities('audio')?.codecs ?? []);
  if (codecs !== null) transceiver.setCodecPreferences(codecs);
}

/** Lets a video line carry the dependency descriptor, where the browser has to be asked for it. */
export function describeFrames(transceiver: RTCRtpTransceiver): void {
  const line: Extensible = transceiver as Extensible;
  const extensions = line.getHeaderExtensionsToNegotiate?.();
  const descriptor = extensions?.find(({ uri }) => uri === DEPENDENCY_DESCRIPTOR);
  if (extensions === undefined || descriptor === undefined || descriptor.direction !== 'stopped') return;
  descriptor.direction = 'sendrecv';
  line.setHeaderExtensionsToNegotiate?.(extensions);
}

/** W3C Scalable Video Coding, which the types of the DOM do not know yet. */
interface ScalableEncoding extends RTCRtpEncodingParameters {
  scalabilityMode?: string;
}

let scalable: boolean | null = null;

/**
 * Whether the browser sends several sizes in one encoding of this codec. Browsers that cannot ignore the wish, which
 * shows only when they are asked what they made of it.
 */
export function canScale(codec: VideoCodec | null): codec is 'vp9' | 'av1' {
  if (codec !== 'vp9' && codec !== 'av1') return false;
  if (preferred(RTCRtpSender.getCapabilities('video')?.codecs ?? [], codec) === null) return false;
  scalable ??= tryScalability();
  return scalable;
}

function tryScalability(): boolean {
  const connection = new RTCPeerConnection();
  try {
    const sendEncodings: ScalableEncoding[] = [{ active: true, scalabilityMode: 'L3T3_KEY' }];
    const { sender } = connection.addTransceiver('video', { direction: 'sendonly', sendEncodings });
    const [encoding]: ScalableEncoding[] = sender.getParameters().encodings;
    return encoding?.scalabilityMode === 'L3T3_KEY';
  } catch {
    return false;
  } finally {
    connection.close();
  }
}
