// What the server knows, kept up to date by one long poll.

const WAIT_SECONDS = 25;
const RETRY_MILLISECONDS = 1000;

export const state = {
  generation: 0,
  event: 0,
  bot: null,
  users: [],
  messages: new Map(), // user id -> Map of message id -> message, oldest first
};

export function userById(id) {
  return state.users.find((user) => user.id === id) ?? null;
}

export function messagesOf(userId) {
  return state.messages.get(userId) ?? new Map();
}

// Calls back with {changed: [messages], toasts, isFirst} after every change.
export async function follow(onChange, onConnection) {
  for (;;) {
    const fresh = await ask().catch(() => null);
    onConnection(fresh !== null);
    if (fresh) onChange(take(fresh));
    else await new Promise((resolve) => setTimeout(resolve, RETRY_MILLISECONDS));
  }
}

async function ask() {
  const wait = state.generation ? WAIT_SECONDS : 0;
  const query = new URLSearchParams({ since: state.event, generation: state.generation, wait_seconds: wait });
  const answer = await fetch(`/control/state?${query}`);
  if (!answer.ok) throw new Error(`the feed answered ${answer.status}`);
  return answer.json();
}

function take(fresh) {
  const isFirst = fresh.generation !== state.generation;
  if (isFirst) state.messages.clear();
  Object.assign(state, { generation: fresh.generation, event: fresh.event, bot: fresh.bot, users: fresh.users });
  for (const message of fresh.messages) keep(message);
  return { changed: fresh.messages, toasts: fresh.toasts, isFirst };
}

function keep(message) {
  if (!state.messages.has(message.chat_id)) state.messages.set(message.chat_id, new Map());
  const chat = state.messages.get(message.chat_id);
  if (message.deleted) chat.delete(message.message_id);
  else chat.set(message.message_id, message);
}

// -- what a person does

export class Refused extends Error {}

async function post(path, body) {
  const isForm = body instanceof FormData;
  const answer = await fetch(path, {
    method: "POST",
    body: isForm ? body : JSON.stringify(body ?? {}),
    headers: isForm ? {} : { "content-type": "application/json" },
  });
  const said = await answer.json();
  if (!answer.ok) throw new Refused(typeof said.error === "string" ? said.error : "That did not work.");
  return said;
}

export const addPerson = (first_name, language_code) => post("/control/users", { first_name, language_code });
export const say = (userId, text) => post(`/control/users/${userId}/text`, { text });
export const press = (userId, message_id, callback_data) =>
  post(`/control/users/${userId}/press`, { message_id, callback_data });
export const markRead = (userId) => post(`/control/users/${userId}/read`);
export const edit = (userId, message_id, text) => post(`/control/users/${userId}/edit`, { message_id, text });
export const forward = (userId, message_id, from_user_id) =>
  post(`/control/users/${userId}/forward`, { message_id, from_user_id });
export const speak = (userId, language_code) => post(`/control/users/${userId}/language`, { language_code });
export const pay = (userId, message_id, times) => post(`/control/users/${userId}/pay`, { message_id, times });
export const decline = (userId, message_id) => post(`/control/users/${userId}/decline`, { message_id });
export const sendSample = (userId, deed) => post(`/control/users/${userId}/${deed}`);
export const block = (userId) => post(`/control/users/${userId}/block`);
export const unblock = (userId) => post(`/control/users/${userId}/unblock`);

export function sendPhotos(userId, files, caption) {
  const form = new FormData();
  for (const file of files) form.append("photo", file, file.name || "photo.jpg");
  form.append("caption", caption);
  return post(`/control/users/${userId}/${files.length > 1 ? "album" : "photo"}`, form);
}

export function sendDocument(userId, file, caption) {
  const form = new FormData();
  form.append("document", file, file.name || "file");
  form.append("caption", caption);
  return post(`/control/users/${userId}/document`, form);
}
