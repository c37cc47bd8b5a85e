import { ChevronUp, MonitorUp, MonitorX } from 'lucide-react';
import { useState } from 'react';
import { useMedia, useMediaState } from '../../hooks/context';
import { Menu, MenuHeading, MenuItem, MenuLine } from '../Menu';
import { ToolButton } from './ToolButton';

/** Share a screen, window or tab; several at once; for text or for film. */
export function ShareControl() {
  const media = useMedia();
  const canShare = useMediaState((state) => state.canShareScreen);
  const streams = useMediaState((state) => state.streams);
  const [hint, setHint] = useState<'detail' | 'motion'>('detail');
  const [audio, setAudio] = useState(true);
  if (!canShare) {
    return null;
  }
  const screens = streams.filter((stream) => stream.source === 'screen');
  const last = screens.at(-1);
  const share = () => void media.shareScreen({ hint, audio });
  const chooseHint = (next: 'detail' | 'motion') => {
    setHint(next);
    for (const screen of screens) {
      media.setScreenHint(screen.id, next);
    }
  };
  return (
    <div className="tool tool--split" data-state={last === undefined ? 'on' : 'active'}>
      <ToolButton
        label={last === undefined ? 'Share your screen' : 'Stop sharing'}
        shortcut="S"
        pressed={last !== undefined}
        testId="share"
        onClick={() => {
          if (last === undefined) {
            share();
          } else {
            media.stop(last.id);
          }
        }}
      >
        {last === undefined ? (
          <MonitorUp className="icon" size={24} aria-hidden />
        ) : (
          <MonitorX className="icon" size={24} aria-hidden />
        )}
      </ToolButton>
      <Menu
        label="How to share"
        buttonClass="tool__more"
        button={<ChevronUp className="icon" size={18} aria-hidden />}
        testId="share-menu"
      >
        <MenuHeading>What you show</MenuHeading>
        <MenuItem keepOpen checked={hint === 'detail'} note="Every letter sharp" onSelect={() => chooseHint('detail')}>
          Text and slides
        </MenuItem>
        <MenuItem
          keepOpen
          checked={hint === 'motion'}
          note="Smooth movement"
          testId="share-motion"
          onSelect={() => chooseHint('motion')}
        >
          Film or game
        </MenuItem>
        <MenuLine />
        <label className="menu__switch switch">
          <span>Share the sound too</span>
          <input
            type="checkbox"
            role="switch"
            checked={audio}
            onChange={(event) => {
              setAudio(event.target.checked);
            }}
          />
        </label>
        <MenuLine />
        <MenuItem icon={<MonitorUp className="icon" size={20} aria-hidden />} onSelect={share} testId="share-another">
          {last === undefined ? 'Share now' : 'Share another one'}
        </MenuItem>
        {screens.map((screen, index) => (
          <MenuItem
            key={screen.id}
            danger
            icon={<MonitorX className="icon" size={20} aria-hidden />}
            testId="share-stop"
            onSelect={() => {
              media.stop(screen.id);
            }}
          >
            Stop screen {index + 1}
          </MenuItem>
        ))}
      </Menu>
    </div>
  );
}
