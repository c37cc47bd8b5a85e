import type { PoorLink } from '@althing/sdk';
import { Info, MicOff, TriangleAlert, Volume2, WifiOff, X } from 'lucide-react';
import { type ReactNode, useState } from 'react';
import { useMediaState, useSession, useSessionState } from '../../hooks/context';
import type { Notice } from '../../model/notices';
import { poorLinkWords } from '../../model/quality';
import { Button, IconButton } from '../Button';

/** Short messages in the corner; read out when the screen reader has time. */
export function Toasts({ notices }: { readonly notices: readonly Notice[] }) {
  return (
    <div className="toasts" role="log" aria-live="polite" aria-label="News" data-testid="toasts">
      {notices.map((notice) => (
        <div key={notice.id} className="toast" data-tone={notice.tone} data-testid="toast">
          {notice.tone === 'warn' ? (
            <TriangleAlert className="icon" size={18} aria-hidden />
          ) : (
            <Info className="icon" size={18} aria-hidden />
          )}
          <span>{notice.text}</span>
        </div>
      ))}
    </div>
  );
}

/** What is wrong with the whole connection, over the stage. */
export function Banners({ onUnmute }: { readonly onUnmute: () => void }) {
  const session = useSession();
  const connection = useSessionState((state) => state.connection);
  const socket = useSessionState((state) => state.socket);
  const isOffline = useSessionState((state) => state.offline);
  const isAudioBlocked = useSessionState((state) => state.audioBlocked);
  const isTalking = useMediaState((state) => state.talkingWhileMuted);
  const isLost = connection === 'reconnecting' || (isOffline && connection !== 'ended');
  return (
    <div className="banners">
      <div role="alert">
        {isLost && (
          <Banner tone="warn" testId="banner-reconnecting" icon={<WifiOff className="icon" size={20} aria-hidden />}>
            <span>{lostWords(isOffline, socket === 'connected')}</span>
            <Button tone="text" onClick={() => session.retryNow()} data-testid="retry-now">
              Try now
            </Button>
          </Banner>
        )}
      </div>
      <div role="status">
        {isAudioBlocked && (
          <Banner tone="accent" testId="banner-sound" icon={<Volume2 className="icon" size={20} aria-hidden />}>
            <span>Your browser holds the sound back.</span>
            <Button tone="primary" onClick={() => void session.unblockAudio()} data-testid="sound-blocked">
              Click to hear
            </Button>
          </Banner>
        )}
        {isTalking && (
          <Banner tone="accent" testId="talking-while-muted" icon={<MicOff className="icon" size={20} aria-hidden />}>
            <span>You’re talking, but your microphone is off.</span>
            <Button tone="primary" onClick={onUnmute} data-testid="unmute">
              Switch on
            </Button>
          </Banner>
        )}
        <PoorLinkBanner />
      </div>
    </div>
  );
}

/** Says that the own connection is poor, until it is good again or the user has read it. */
function PoorLinkBanner() {
  const link = useSessionState((state) => state.poorLink);
  const [read, setRead] = useState<PoorLink | null>(null);
  if (read !== null && link === null) {
    setRead(null);
  }
  if (link === null || link === read) {
    return null;
  }
  const { what, so } = poorLinkWords(link);
  return (
    <Banner tone="quiet" testId="poor-link" icon={<TriangleAlert className="icon" size={18} aria-hidden />}>
      <span data-link={link}>
        {what} <span className="banner__more">{so}</span>
      </span>
      <IconButton label="Hide this" onClick={() => setRead(link)}>
        <X className="icon" size={16} aria-hidden />
      </IconButton>
    </Banner>
  );
}

function lostWords(isOffline: boolean, isSocketUp: boolean): string {
  if (isOffline) {
    return 'This device has no network. You’ll be back as soon as it has.';
  }
  return isSocketUp ? 'Sound and video were interrupted. Reconnecting…' : 'Connection lost. Reconnecting…';
}

interface BannerProps {
  readonly tone: 'warn' | 'accent' | 'quiet';
  readonly testId: string;
  readonly icon: ReactNode;
  readonly children: ReactNode;
}

function Banner({ tone, testId, icon, children }: BannerProps) {
  return (
    <div className="banner" data-tone={tone} data-testid={testId}>
      {icon}
      {children}
    </div>
  );
}
