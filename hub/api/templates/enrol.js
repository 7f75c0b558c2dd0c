// Shows the code of this link, which stands behind the # and is sent to no server.
"use strict";
const code = decodeURIComponent(location.hash.slice(1));
if (/^[0-9A-Z-]{40,60}$/.test(code)) {
  document.getElementById("code").textContent = code;
  document.getElementById("command").textContent = `sudo ttdn-agent enrol ${location.origin} ${code}`;
}
history.replaceState(null, "", location.pathname); // not left behind in the browser's history
