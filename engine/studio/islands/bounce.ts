// A link on another site comes without the cookie, which is strict. This asks for the same page from this site.
location.replace(location.href);
export {};
