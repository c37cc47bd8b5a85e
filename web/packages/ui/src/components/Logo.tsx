/** The mark: people in a half circle around the one who speaks, as at the assembly that gave the program its name. */
export function Mark({ size = 32 }: { readonly size?: number }) {
  return (
    <svg className="icon mark" width={size} height={size} viewBox="0 0 32 32" aria-hidden>
      <g fill="currentColor">
        <circle cx="16" cy="20.5" r="4.2" className="mark__speaker" />
        {MEMBERS.map(([x, y]) => (
          <circle key={x} cx={x} cy={y} r="2.5" />
        ))}
      </g>
    </svg>
  );
}

/** Seven people on a half circle of radius 11.5 around the speaker, from left to right. */
const MEMBERS = Array.from({ length: 7 }, (_, index): readonly [number, number] => {
  const angle = Math.PI * (1.06 - (index * 1.12) / 6);
  return [16 + 12.6 * Math.cos(angle), 19.5 - 12.6 * Math.sin(angle)];
});

/** The mark with the name. */
export function Wordmark() {
  return (
    <span className="wordmark">
      <Mark size={34} />
      <span className="wordmark__text">Althing</span>
    </span>
  );
}
