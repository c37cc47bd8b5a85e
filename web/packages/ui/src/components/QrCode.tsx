import qrcode from 'qrcode-generator';
import { useMemo } from 'react';

/** Modules of white around a code that readers need (ISO/IEC 18004). */
const QUIET_ZONE = 4;

/** A QR code, always dark on white, because readers expect that in a dark theme too. */
export function QrCode({ text, label }: { readonly text: string; readonly label: string }) {
  const { path, size } = useMemo(() => modules(text), [text]);
  return (
    <svg
      className="qr"
      viewBox={`0 0 ${size} ${size}`}
      role="img"
      aria-label={label}
      shapeRendering="crispEdges"
      data-testid="qr-code"
      data-text={text}
    >
      <rect width={size} height={size} fill="#fff" />
      <path d={path} fill="#111" />
    </svg>
  );
}

function modules(text: string): { path: string; size: number } {
  // Type 0: the smallest that holds the text. M repairs 15 %: enough for a clean screen.
  const code = qrcode(0, 'M');
  code.addData(text);
  code.make();
  const count = code.getModuleCount();
  let path = '';
  for (let row = 0; row < count; row += 1) {
    for (let column = 0; column < count; column += 1) {
      if (code.isDark(row, column)) {
        path += `M${column + QUIET_ZONE} ${row + QUIET_ZONE}h1v1h-1z`;
      }
    }
  }
  return { path, size: count + 2 * QUIET_ZONE };
}
