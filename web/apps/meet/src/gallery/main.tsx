/** For development: every screen and state from made-up snapshots, without a server. `?scene=meeting-5&theme=dark`. */
import { applyTheme } from '@althing/ui';
import '@althing/ui/styles.css';
import { createRoot } from 'react-dom/client';
import { SCENES } from './scenes';

const query = new URLSearchParams(location.search);
const theme = query.get('theme');
applyTheme(theme === 'light' || theme === 'dark' ? theme : 'system');

function Gallery() {
  const scene = SCENES[query.get('scene') ?? ''];
  if (scene !== undefined) {
    return scene();
  }
  return (
    <main className="start">
      <h1>Gallery</h1>
      <ul>
        {Object.keys(SCENES).map((name) => (
          <li key={name}>
            <a href={`?scene=${name}`}>{name}</a>
          </li>
        ))}
      </ul>
    </main>
  );
}

const root = document.getElementById('root');
if (root !== null) {
  createRoot(root).render(<Gallery />);
}
