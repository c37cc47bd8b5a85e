import { useMedia, useMediaState, useSession, useStats } from '../../hooks/context';
import { setPreferences, usePreferences } from '../../hooks/preferences';
import { resolution } from '../../model/numbers';
import { heightWords, PICTURE_HEIGHTS, pictureHeight, type PictureHeight } from '../../model/resolutions';
import { type Choice, Select } from '../fields';

/** How large pictures are sent and received. */
export function PictureQuality({ inMeeting }: { readonly inMeeting: boolean }) {
  return (
    <>
      <SendLimit />
      {inMeeting ? <ReceiveLimit /> : <ReceiveLimitField hint="Holds from the moment you join." />}
      <p className="settings__note">
        Below that, what you receive follows the size of each picture on your screen, and pictures out of sight are not
        received at all. Shared screens stay sharp. To choose for one person, open the menu on that tile.
      </p>
    </>
  );
}

const HEIGHTS: readonly Choice<string>[] = PICTURE_HEIGHTS.map((height) => ({
  value: `${height}`,
  text: heightWords(height),
}));

function SendLimit() {
  const media = useMedia();
  const limit = useMediaState((state) => state.cameraHeightMax);
  const width = useMediaState((state) => state.camera.width);
  const height = useMediaState((state) => state.camera.height);
  return (
    <Select
      label="Your camera sends at most"
      value={limit === null ? '' : `${limit}`}
      choices={[{ value: '', text: 'Automatic – 720p' }, ...HEIGHTS]}
      testId="send-quality"
      hint={width > 0 ? `Your camera gives ${resolution(width, height)} now.` : 'Your camera is off.'}
      onChange={(value) => {
        const heightMax = pictureHeight(value);
        setPreferences({ cameraHeightMax: heightMax });
        void media.limitCamera(heightMax);
      }}
    />
  );
}

function ReceiveLimit() {
  const session = useSession();
  const { received } = useStats();
  const largest = received
    .filter((stream) => stream.kind === 'video' && stream.bps > 0)
    .sort((one, other) => other.width * other.height - one.width * one.height)[0];
  return (
    <ReceiveLimitField
      hint={
        largest === undefined
          ? 'No picture is received now.'
          : `The largest picture received now is ${resolution(largest.width, largest.height)}.`
      }
      onLimit={(heightMax) => session.limitReceive(heightMax)}
    />
  );
}

interface ReceiveLimitFieldProps {
  readonly hint: string;
  readonly onLimit?: (heightMax: PictureHeight | null) => void;
}

function ReceiveLimitField({ hint, onLimit }: ReceiveLimitFieldProps) {
  const { receiveHeightMax } = usePreferences();
  return (
    <Select
      label="You receive others at most"
      value={receiveHeightMax === null ? '' : `${receiveHeightMax}`}
      choices={[{ value: '', text: 'Automatic – as shown' }, ...HEIGHTS]}
      testId="receive-quality"
      hint={hint}
      onChange={(value) => {
        const heightMax = pictureHeight(value);
        setPreferences({ receiveHeightMax: heightMax });
        onLimit?.(heightMax);
      }}
    />
  );
}
