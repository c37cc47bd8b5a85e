import type { ReceiveQuality, StreamKey } from '@althing/sdk';
import { useEffect, useRef, useState } from 'react';
import { useMedia, useSession } from '../hooks/context';

/** Whether a picture is cropped to fill its tile or shown whole. */
export type Fit = 'cover' | 'contain';

interface RemoteVideoProps {
  readonly streamKey: StreamKey;
  readonly fit: Fit;
  readonly quality: ReceiveQuality | null;
  readonly onSize?: (width: number, height: number) => void;
}

/** The picture of somebody else. Fades in when it begins to play. */
export function RemoteVideo({ streamKey, fit, quality, onSize }: RemoteVideoProps) {
  const session = useSession();
  const ref = useRef<HTMLVideoElement>(null);
  const [isPlaying, setPlaying] = useState(false);
  const sizeListener = useRef(onSize);
  useEffect(() => {
    sizeListener.current = onSize;
  });
  useEffect(() => {
    const element = ref.current;
    if (element === null) {
      return;
    }
    return session.attachVideo(element, streamKey, {
      ...(quality === null ? {} : { quality }),
      onSize: (width, height) => sizeListener.current?.(width, height),
      onPlaying: setPlaying,
    });
  }, [session, streamKey, quality]);
  return <video ref={ref} className="video" data-fit={fit} data-playing={isPlaying} autoPlay playsInline muted />;
}

interface OwnVideoProps {
  readonly localId: string;
  readonly fit: Fit;
  readonly mirrored: boolean;
}

/** A picture captured here. */
export function OwnVideo({ localId, fit, mirrored }: OwnVideoProps) {
  const media = useMedia();
  const ref = useRef<HTMLVideoElement>(null);
  useEffect(() => {
    const element = ref.current;
    return element === null ? undefined : media.attachPreview(element, localId);
  }, [media, localId]);
  return (
    <video
      ref={ref}
      className="video"
      data-fit={fit}
      data-mirrored={mirrored}
      data-playing
      autoPlay
      playsInline
      muted
    />
  );
}
