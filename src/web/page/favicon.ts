/** An arrow going round, in a colour that can be seen on light and dark tabs. */
export const favicon =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><path d="M12.6 5A5.5 5.5 0 1 0 13.5 8" fill="none" stroke="#2f7fd6" stroke-width="2"/><path d="M14.5 1.5v5h-5z" fill="#2f7fd6"/></svg>\n';
