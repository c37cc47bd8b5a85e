/** `@althing/ui`: screens and components of a meeting. They render what the SDK's snapshots say and nothing else. */
export { EndScreen } from './components/screens/EndScreen';
export { JoiningScreen } from './components/screens/JoiningScreen';
export { MeetingScreen } from './components/screens/MeetingScreen';
export { PreJoinScreen } from './components/screens/PreJoinScreen';
export { StartScreen } from './components/screens/StartScreen';
export { SettingsDialog } from './components/dialogs/SettingsDialog';
export { MediaContext, SessionContext, useMedia, useMediaState, useSession, useSessionState } from './hooks/context';
export {
  applyTheme,
  getPreferences,
  parsePreferences,
  type Preferences,
  setPreferences,
  type Theme,
  usePreferences,
} from './hooks/preferences';
export { type EndPage, endPage, failurePageOf } from './model/failures';
export { type InviteLinks, inviteLinks, secureLink } from './model/invite';
export { roomFromInput, roomFromPath, roomPath } from './model/rooms';
