// The page: who is there, whose chat is open, and what happens in it.

import { MessageActions } from "./actions.js";
import { Composer } from "./composer.js";
import * as feed from "./feed.js";
import { dayOf, element, starsOf, summary, timeOf } from "./formatting.js";
import { MessageList } from "./messages.js";
import { PaySheet, receiptOf } from "./payment.js";

const TOAST_MILLISECONDS = 3500;
const TYPING_MILLISECONDS = 5000;
const AVATARS = [
  ["#ff9a6c", "#e8613c"],
  ["#7ad0a8", "#36a277"],
  ["#b79bf0", "#8559d6"],
  ["#72b6ea", "#3a86cf"],
  ["#f2a0c0", "#d65a8d"],
  ["#f0c35e", "#d99a24"],
];
const LANGUAGES = ["ru", "en", "uk", "be", "kk", "uz", "ky", "de", "es", "pt-br", ""];
const NO_DESCRIPTION = "Press Start and see. (The bot says more here once it is running.)";

const at = (id) => document.getElementById(id);
const list = new MessageList(at("messages"), {
  press: (messageId, data) => attempt(feed.press(openId, messageId, data)),
  pay: (message) => sheet.open(message, feed.userById(openId), feed.state.bot.first_name),
  receipt: (message) => showAlert(receiptOf(message, feed.messagesOf(openId))),
  startWith: Object.assign((parameter) => attempt(feed.say(openId, `/start ${parameter}`)), { parameterOf }),
  act: (messageId, button) => openActions(messageId, button),
  command: (text) => attempt(feed.say(openId, text)),
  open: (messageId) => list.scrollTo(messageId),
  view: showPhoto,
  botName: () => feed.state.bot.first_name,
  find: (messageId) => feed.messagesOf(openId).get(messageId),
});
let openId = Number(location.hash.slice(1)) || 0;
let unseen = 0;
let isAtBottom = true;
let toastTimer = 0;
let typingTimer = 0;

const composer = new Composer({ send, edit: (id, text) => attempt(feed.edit(openId, id, text)), say: toast });
const sheet = new PaySheet();
const actions = new MessageActions({
  edit: (message) => composer.startEditing(message),
  forward: forwardTo,
  people: () => feed.state.users,
});

// -- doing

async function attempt(deed) {
  try {
    await deed;
    return true;
  } catch (error) {
    toast(error instanceof feed.Refused ? error.message : "The stand-in does not answer.");
    return false;
  }
}

async function send({ text, photos, documents }) {
  const userId = openId;
  if (!photos.length && !documents.length) return attempt(feed.say(userId, text));
  const sendAll = async () => {
    if (photos.length) await feed.sendPhotos(userId, photos, text);
    for (const [index, file] of documents.entries()) {
      await feed.sendDocument(userId, file, index === 0 && !photos.length ? text : "");
    }
  };
  return attempt(sendAll());
}

async function forwardTo(message, user) {
  if (!(await attempt(feed.forward(user.id, message.message_id, openId)))) return;
  if (user.id !== openId) toast(`Forwarded to ${user.first_name}`);
}

// A link to this very bot, with a parameter for /start: it leads nowhere but here.
function parameterOf(url) {
  const start = `https://t.me/${feed.state.bot.username}?start=`;
  return url?.startsWith(start) ? url.slice(start.length) : "";
}

async function addPerson(name, language) {
  const user = await feed.addPerson(name, language);
  location.hash = user.id;
}

// -- showing

function onChange({ changed, toasts, isFirst }) {
  if (isFirst) openChat();
  else showChanges(changed.filter((message) => message.chat_id === openId));
  for (const each of toasts.filter((each) => each.user_id === openId)) showAnswer(each);
  showPeople();
  forgetTypingLater();
  showChat(feed.userById(openId));
}

function showChanges(messages) {
  const wasAtBottom = list.isAtBottom;
  const fresh = messages.filter((message) => !message.deleted && !list.nodes.has(message.message_id));
  list.show(messages, { isNew: true });
  const isMine = fresh.some((message) => !message.from_bot);
  if (wasAtBottom || isMine) list.toBottom();
  else unseen += fresh.length;
  showJump();
}

function openChat() {
  list.clear();
  unseen = 0;
  list.show([...feed.messagesOf(openId).values()], { isNew: false });
  list.toBottom();
  showJump();
}

function showWelcome() {
  at("welcome").hidden = false;
  at("phone").hidden = true;
  document.body.classList.remove("in-chat");
}

function showChat(user) {
  if (!user) return showWelcome();
  at("welcome").hidden = true;
  at("phone").hidden = false;
  document.body.classList.add("in-chat");
  const isEmpty = feed.messagesOf(user.id).size === 0;
  showHead(user);
  at("chat-empty").hidden = !isEmpty;
  at("bot-description").textContent = user.bot_description || NO_DESCRIPTION;
  at("start").hidden = !isEmpty || user.has_blocked;
  at("unblock").hidden = !user.has_blocked;
  at("composer").hidden = isEmpty || user.has_blocked;
  showCommands(user);
  list.showWaiting(user.waiting_queries);
  if (user.unread && document.visibilityState === "visible") feed.markRead(user.id).catch(() => {});
}

function showHead(user) {
  const bot = feed.state.bot;
  at("bot-name").textContent = bot.first_name;
  at("chat-menu-person").textContent = `You are ${user.first_name}, id ${user.id}, Telegram in ${languageName(user.language_code)}`;
  showLanguages(user.language_code);
  at("stars-count").textContent = starsOf(user.stars);
  at("stars").title = `${user.first_name} has ${starsOf(user.stars)} Telegram Stars`;
  at("stars").setAttribute("aria-label", `Balance: ${starsOf(user.stars)} Stars`);
  at("block-label").textContent = user.has_blocked ? "Unblock the bot" : "Block the bot";
  const status = at("chat-status");
  status.textContent = user.has_blocked ? "blocked" : user.typing ? "typing" : `bot · you are ${user.first_name}`;
  status.classList.toggle("is-typing", user.typing && !user.has_blocked);
}

function languageName(code) {
  return code ? new Intl.DisplayNames("en", { type: "language" }).of(code) : "no language";
}

function showLanguages(chosen) {
  const node = at("chat-language");
  if (node.dataset.chosen === chosen) return;
  node.dataset.chosen = chosen;
  const codes = LANGUAGES.includes(chosen) ? LANGUAGES : [chosen, ...LANGUAGES];
  node.replaceChildren(...codes.map((code) => new Option(languageName(code), code, false, code === chosen)));
}

function openActions(messageId, button) {
  closePopups();
  const message = feed.messagesOf(openId).get(messageId);
  if (message) actions.open(message, button);
}

function showCommands(user) {
  at("commands-button").hidden = !user.commands.length;
  at("commands").replaceChildren(...user.commands.map(commandButton));
}

function commandButton({ command, description }) {
  const node = element("button", "", element("span", "", description), element("code", "", `/${command}`));
  node.type = "button";
  node.addEventListener("click", () => attempt(feed.say(openId, `/${command}`)));
  return node;
}

function showPeople() {
  const newest = (user) => user.last_message?.date ?? 0;
  const ordered = [...feed.state.users].sort((a, b) => newest(b) - newest(a) || b.id - a.id);
  const rows = ordered.length ? ordered.map(personRow) : [element("li", "nobody", "Nobody yet. Add a person below, and talk to the bot as them.")];
  at("people-list").replaceChildren(...rows);
  const unread = feed.state.users.reduce((sum, user) => sum + user.unread, 0);
  document.title = unread ? `(${unread}) Telegram stand-in` : "Telegram stand-in";
}

// Nothing tells that typing has stopped: it just lasts five seconds.
function forgetTypingLater() {
  clearTimeout(typingTimer);
  if (!feed.state.users.some((user) => user.typing)) return;
  typingTimer = setTimeout(() => {
    for (const user of feed.state.users) user.typing = false;
    showPeople();
    if (feed.userById(openId)) showHead(feed.userById(openId));
  }, TYPING_MILLISECONDS);
}

function personRow(user) {
  const avatar = element("span", "avatar", [...user.first_name][0]?.toUpperCase() ?? "?");
  const [from, to] = AVATARS[user.id % AVATARS.length];
  avatar.style.setProperty("--from", from);
  avatar.style.setProperty("--to", to);
  const name = element("span", "person-name", user.first_name, element("small", "", user.language_code.toUpperCase()));
  const row = element("button", "person", avatar, name, whenOf(user), lastLine(user));
  if (user.unread && user.id !== openId) row.append(element("span", "badge", String(user.unread)));
  row.type = "button";
  row.classList.toggle("is-open", user.id === openId);
  row.addEventListener("click", () => select(user.id));
  return element("li", "", row);
}

function whenOf(user) {
  const date = user.last_message?.date;
  if (!date) return element("span", "person-time");
  return element("span", "person-time", dayOf(date) === "Today" ? timeOf(date) : dayOf(date));
}

function lastLine(user) {
  if (user.typing) return element("span", "person-last is-typing", "typing…");
  if (user.has_blocked) return element("span", "person-last", "has blocked the bot");
  return element("span", "person-last", user.last_message ? summary(user.last_message) : "has not started yet");
}

function showJump() {
  isAtBottom = list.isAtBottom;
  at("jump").hidden = list.isAtBottom;
  if (list.isAtBottom) unseen = 0;
  at("jump-count").textContent = unseen || "";
}

function showAnswer({ text, show_alert: isAlert }) {
  if (!text) return;
  if (!isAlert) {
    toast(text);
    return;
  }
  showAlert(text);
}

function showAlert(text) {
  at("alert-text").textContent = text;
  if (!at("alert").open) at("alert").showModal();
}

function toast(text) {
  const node = at("toast");
  node.textContent = text;
  node.hidden = false;
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => (node.hidden = true), TOAST_MILLISECONDS);
}

function showPhoto(address) {
  at("viewer-image").src = address;
  at("viewer").showModal();
}

// -- listening

function select(userId) {
  if (Number(location.hash.slice(1)) === userId) return;
  location.hash = userId;
}

function popup(buttonId, popupId) {
  const node = at(popupId);
  at(buttonId).addEventListener("click", (event) => {
    event.stopPropagation();
    const wasHidden = node.hidden;
    closePopups();
    node.hidden = !wasHidden;
  });
}

function closePopups() {
  for (const node of document.querySelectorAll(".popup")) node.hidden = true;
}

function showTheme(theme) {
  document.documentElement.dataset.theme = theme;
}

function preferredTheme() {
  const isDark = matchMedia("(prefers-color-scheme: dark)").matches;
  return localStorage.getItem("theme") ?? (isDark ? "dark" : "light");
}

window.addEventListener("hashchange", () => {
  openId = Number(location.hash.slice(1)) || 0;
  composer.reset();
  sheet.close();
  openChat();
  showPeople();
  showChat(feed.userById(openId));
  list.toBottom();
});
document.addEventListener("click", closePopups);
document.addEventListener("keydown", (event) => event.key === "Escape" && closePopups());
document.addEventListener("visibilitychange", () => feed.userById(openId) && showChat(feed.userById(openId)));
popup("chat-menu-button", "chat-menu");
popup("attach", "attach-menu");
popup("commands-button", "commands");
at("new-person").addEventListener("submit", (event) => {
  event.preventDefault();
  const form = event.target;
  attempt(addPerson(form.first_name.value.trim(), form.language_code.value).then(() => (form.first_name.value = "")));
});
at("quick-start").addEventListener("click", () => attempt(addPerson("Anna", "en")));
at("start").addEventListener("click", () => attempt(feed.say(openId, "/start")));
at("unblock").addEventListener("click", () => attempt(feed.unblock(openId)));
at("block").addEventListener("click", () => {
  attempt(feed.userById(openId)?.has_blocked ? feed.unblock(openId) : feed.block(openId));
});
at("chat-menu").addEventListener("click", (event) => event.target.closest("label") && event.stopPropagation());
at("chat-language").addEventListener("change", (event) => attempt(feed.speak(openId, event.target.value)));
for (const button of document.querySelectorAll("[data-deed]")) {
  button.addEventListener("click", () => attempt(feed.sendSample(openId, button.dataset.deed)));
}
at("back").addEventListener("click", () => (location.hash = ""));
at("jump").addEventListener("click", () => list.toBottom("smooth"));
at("messages").addEventListener("scroll", showJump, { passive: true });
// A growing composer must not hide the newest message.
new ResizeObserver(() => isAtBottom && list.toBottom()).observe(at("messages"));
at("viewer").addEventListener("click", () => at("viewer").close());
at("theme").addEventListener("click", () => {
  const theme = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
  localStorage.setItem("theme", theme);
  showTheme(theme);
});

showTheme(preferredTheme());
feed.follow(onChange, (isOn) => {
  at("connection").textContent = isOn ? "Connected" : "The stand-in does not answer, trying again…";
  at("connection").classList.toggle("is-on", isOn);
});
