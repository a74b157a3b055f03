import { createHash } from 'node:crypto';

/**
 * Colours by theme. Text on each background has a contrast of 4.5 or more (WCAG 2.2, 1.4.3), which a test computes;
 * hues are far apart for colour-blind eyes too, and every badge has a shape and a word of its own.
 */
export const palettes = {
  light: {
    ground: '#f6f7f9',
    sheet: '#ffffff',
    text: '#1a1f27',
    muted: '#56606e',
    line: '#d5dae1',
    link: '#0b57b0',
    focus: '#0b57b0',
    critical: '#a3123a',
    'critical-ground': '#fdeaef',
    warning: '#7a4a00',
    'warning-ground': '#fff2d6',
    info: '#0b57b0',
    'info-ground': '#e6f0fc',
    unknown: '#5b3a94',
    'unknown-ground': '#f0eafb',
    none: '#1c6244',
    'none-ground': '#e5f4ec',
  },
  dark: {
    ground: '#12151a',
    sheet: '#1b2027',
    text: '#e6e9ee',
    muted: '#a3adba',
    line: '#353d48',
    link: '#86bbff',
    focus: '#86bbff',
    critical: '#ff9db2',
    'critical-ground': '#45121f',
    warning: '#ffcf70',
    'warning-ground': '#3d2c05',
    info: '#9ccaff',
    'info-ground': '#12304f',
    unknown: '#cbb5ff',
    'unknown-ground': '#2f2250',
    none: '#86dcb2',
    'none-ground': '#0f3526',
  },
} as const;

function variables(palette: Readonly<Record<string, string>>): string {
  return Object.entries(palette)
    .map(([name, value]) => `--${name}:${value}`)
    .join(';');
}

const urgencies = ['critical', 'warning', 'info', 'unknown', 'none'] as const;

/** Everything that the pages look like. */
export const stylesheet = `:root{color-scheme:light dark;${variables(palettes.light)}}
@media (prefers-color-scheme:dark){:root{${variables(palettes.dark)}}}
*,::before,::after{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--text);font:1rem/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif;-webkit-text-size-adjust:100%;overflow-wrap:break-word}
a{color:var(--link)}
a:focus-visible,button:focus-visible,input:focus-visible,select:focus-visible,summary:focus-visible{outline:3px solid var(--focus);outline-offset:2px}
.skip{position:absolute;left:-999px}
.skip:focus{left:.5rem;top:.5rem;background:var(--sheet);padding:.5rem}
.top{display:flex;flex-wrap:wrap;gap:.25rem 1.5rem;align-items:baseline;padding:.75rem 1.5rem;background:var(--sheet);border-bottom:1px solid var(--line)}
.brand{font-weight:700;color:var(--text);text-decoration:none}
.top nav{display:flex;gap:1rem}
main{max-width:90rem;margin:0 auto;padding:1rem 1.5rem}
footer{max-width:90rem;margin:0 auto;padding:1rem 1.5rem 2rem;color:var(--muted);font-size:.875rem}
h1{font-size:1.6rem;line-height:1.25;margin:.5rem 0 .25rem;overflow-wrap:anywhere}
h2{font-size:1.15rem;margin:2rem 0 .5rem}
p{margin:.25rem 0 .75rem;max-width:75ch}
.lead{color:var(--muted);margin-bottom:1rem}
.muted{color:var(--muted)}
.tiles{display:flex;flex-wrap:wrap;gap:.5rem;margin:1rem 0;padding:0;list-style:none}
.tiles a{display:block;min-width:7.5rem;padding:.5rem .75rem;background:var(--sheet);border:1px solid var(--line);border-left-width:4px;border-radius:.375rem;color:var(--text);text-decoration:none}
.tiles a:hover{border-color:var(--link)}
.tiles a[aria-current]{outline:2px solid var(--focus);outline-offset:-1px}
.tiles strong{display:block;font-size:1.4rem;line-height:1.2;font-variant-numeric:tabular-nums}
${urgencies.map((urgency) => `.tiles .${urgency}{border-left-color:var(--${urgency})}`).join('')}
form.filter{display:flex;flex-wrap:wrap;gap:.5rem .75rem;align-items:end;margin:1rem 0}
form.filter label,form.probe label{display:flex;flex-direction:column;font-size:.875rem;color:var(--muted)}
form.filter .wide{flex:1 1 16rem;max-width:32rem}
input,select,button{font:inherit;color:var(--text);background:var(--sheet);border:1px solid var(--muted);border-radius:.375rem;padding:.375rem .6rem;max-width:100%;min-height:2.4rem}
button{cursor:pointer;font-weight:600}
button.main{background:var(--link);color:var(--sheet);border-color:var(--link)}
.state{display:flex;flex-wrap:wrap;gap:.25rem 1rem;justify-content:space-between;color:var(--muted);font-size:.875rem;margin:.5rem 0}
table{width:100%;border-collapse:collapse;background:var(--sheet);border:1px solid var(--line)}
caption{text-align:left;color:var(--muted);font-size:.875rem;padding:.25rem 0}
.sr{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
th,td{text-align:left;vertical-align:top;padding:.45rem .75rem;border-bottom:1px solid var(--line);overflow-wrap:anywhere}
thead th{position:sticky;top:0;background:var(--sheet);font-size:.875rem;white-space:nowrap;box-shadow:inset 0 -1px var(--line)}
thead a{color:inherit}
tbody th{font-weight:600;min-width:9rem}
td.brief{font-size:.875rem;max-width:34rem}
td.short,th.short{width:1%}
th.short{min-width:7rem}
td.name{min-width:6.5rem}
td.short{white-space:nowrap;overflow-wrap:normal;font-variant-numeric:tabular-nums}
.badge{display:inline-block;padding:.05rem .5rem;border-radius:1rem;border:1px solid currentColor;font-size:.875rem;font-weight:600;white-space:nowrap}
${urgencies.map((urgency) => `.badge.${urgency},.banner.${urgency}{color:var(--${urgency});background:var(--${urgency}-ground)}`).join('')}
.banner{padding:1rem 1.25rem;margin:1rem 0;border:1px solid currentColor;border-left-width:6px;border-radius:.375rem}
.banner p:last-child{margin-bottom:0}
.banner p:not(.big){color:var(--text)}
.banner .big{font-size:1.2rem;font-weight:700}
.note{padding:.75rem 1.25rem;margin:1rem 0;background:var(--sheet);border:1px solid var(--line);border-left:6px solid var(--muted);border-radius:.375rem}
.note p:last-child,.note ul:last-child,.note ol:last-child{margin-bottom:0}
.empty{padding:2rem 1.25rem;text-align:center;background:var(--sheet);border:1px solid var(--line);border-radius:.375rem}
.empty p{margin:0 auto}
dl{display:grid;grid-template-columns:minmax(9rem,max-content) 1fr;gap:.35rem 1.25rem;margin:.5rem 0;padding:1rem 1.25rem;background:var(--sheet);border:1px solid var(--line);border-radius:.375rem}
dt{color:var(--muted)}
dd{margin:0;overflow-wrap:anywhere}
ul.words{display:flex;flex-wrap:wrap;gap:.25rem .5rem;margin:0;padding:0;list-style:none}
ul.words li,code{font:.875rem/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;background:var(--ground);border:1px solid var(--line);border-radius:.25rem;padding:0 .35rem;overflow-wrap:anywhere}
ol,ul{padding-left:1.25rem}
li{max-width:75ch}
.pager{display:flex;flex-wrap:wrap;gap:.5rem 1rem;align-items:center;margin:1rem 0}
form.probe{display:flex;flex-wrap:wrap;gap:.5rem;align-items:end;margin:1rem 0}
.end{margin-top:1.5rem}
@media (max-width:48rem){
.top,main,footer{padding-left:1rem;padding-right:1rem}
.tiles{display:grid;grid-template-columns:repeat(auto-fill,minmax(7.5rem,1fr))}
.tiles a{min-width:0}
form.filter label{flex:1 1 8rem}
form.filter .wide{flex-basis:100%}
input,select,button{min-height:2.75rem}
form.filter label select{width:100%}
table.cards,table.cards tbody,table.cards tr,table.cards th,table.cards td{display:block}
table.cards{border:0;background:none}
table.cards thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
table.cards tr{background:var(--sheet);border:1px solid var(--line);border-radius:.375rem;margin-bottom:.75rem;padding:.5rem .75rem}
table.cards th,table.cards td{border:0;padding:.1rem 0;max-width:none}
table.cards td.short,table.cards th.short{white-space:normal;width:auto}
table.cards td[data-label]::before{content:attr(data-label) ": ";color:var(--muted)}
table.cards td.empty-cell{display:none}
dl{grid-template-columns:1fr;gap:0}
dd{margin-bottom:.5rem}
}
@media print{.top nav,form,.pager,.tiles a:not([aria-current]){display:none}}
`;

/** Changes with the content, so that browsers may keep it for ever. */
export const stylesheetName = `style-${createHash('sha256').update(stylesheet).digest('hex').slice(0, 12)}.css`;
