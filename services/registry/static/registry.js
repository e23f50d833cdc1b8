// Verification without leaving the page: parts of it are exchanged for the same parts of another answer of ours, and
// nothing is built from strings. Without this script the same forms and links work by themselves.

async function exchangePart(id, address, options) {
  const part = document.getElementById(id);
  part.classList.add("busy");
  part.setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(address, { headers: { accept: "text/html" }, cache: "no-store", ...options });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.getElementById(id) ?? page.querySelector("main > *");
    part.replaceChildren(...(fresh.id === id ? [...fresh.childNodes] : [fresh]).map((node) => document.adoptNode(node)));
  } catch {
    const said = document.createElement("p");
    said.className = "notice warn";
    said.textContent = "The registry could not be reached. Try again when you are online.";
    part.replaceChildren(said);
  } finally {
    part.classList.remove("busy");
    part.removeAttribute("aria-busy");
  }
  return part;
}

// The form of /verify, and links of the form /verify#verify?vc=<credential, JWT or address>.
const form = document.getElementById("verify");
if (form !== null) {
  const judge = async () => {
    const result = await exchangePart("result", form.action, { method: "POST", body: new FormData(form) });
    result.tabIndex = -1;
    result.focus({ preventScroll: true });
    result.scrollIntoView({ block: "start" });
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    judge();
  });
  const judgeLink = () => {
    if (!location.hash.startsWith("#verify?")) return;
    const handed = new URLSearchParams(location.hash.slice("#verify?".length)).get("vc")?.trim();
    if (!handed) return;
    form.reset();
    form.elements.namedItem(/^https?:\/\//.test(handed) ? "url" : "text").value = handed;
    judge();
  };
  addEventListener("hashchange", judgeLink);
  judgeLink();
}

// The page of a credential asks again, so that its ticks are never older than a look at it.
const again = document.getElementById("again");
if (again !== null) {
  const ask = () => exchangePart("live", location.pathname, {});
  again.hidden = false;
  again.addEventListener("click", ask);
  addEventListener("pageshow", (event) => {
    if (event.persisted) ask();
  });
}
