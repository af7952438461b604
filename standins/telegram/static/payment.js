// The payment sheet: what is bought, for how many Stars, and yes or no.

import { icon, starsOf } from "./formatting.js";
import * as feed from "./feed.js";

const LATE = "The bot did not answer within 10 seconds. Nothing was paid.";

const at = (id) => document.getElementById(id);

export class PaySheet {
  constructor() {
    this.message = null;
    at("pay-once").addEventListener("click", () => this.pay(1));
    at("pay-twice").addEventListener("click", () => this.pay(2));
    at("pay-decline").addEventListener("click", () => this.decline());
    at("sheet-back").addEventListener("click", (event) => event.target === at("sheet-back") && this.decline());
    document.addEventListener("keydown", (event) => event.key === "Escape" && this.decline());
  }

  open(message, user, botName) {
    const { title, total_amount: amount } = message.invoice;
    this.message = message;
    this.userId = user.id;
    at("pay-title").textContent = title;
    at("pay-bot").textContent = botName;
    at("pay-amount").textContent = `${starsOf(amount)} Stars`;
    at("pay-once").replaceChildren("Pay ", icon("star"), ` ${starsOf(amount)} Stars`);
    at("pay-once").setAttribute("aria-label", `Pay ${starsOf(amount)} Stars`);
    const lacking = amount - user.stars;
    at("pay-balance").textContent = `You have ${starsOf(user.stars)} Stars`;
    this.complain(lacking > 0 ? `${starsOf(lacking)} Stars are missing.` : "");
    this.setBusy(false);
    for (const id of ["pay-once", "pay-twice"]) at(id).disabled = lacking > 0;
    this.cover(true);
    at(lacking > 0 ? "pay-decline" : "pay-once").focus();
  }

  close() {
    if (!this.message) return;
    this.message = null;
    this.cover(false);
    at("text").focus();
  }

  // Nothing behind the sheet can be reached while it is open.
  cover(isOpen) {
    at("sheet-back").hidden = !isOpen;
    for (const node of document.querySelectorAll(".chat-head, .chat-body, .chat-foot")) node.inert = isOpen;
  }

  async pay(times) {
    const paying = this.message;
    this.setBusy(true);
    const problem = await problemOf(feed.pay(this.userId, paying.message_id, times));
    if (this.message !== paying) return;
    this.setBusy(false);
    if (problem) this.complain(problem);
    else this.close();
  }

  decline() {
    if (!this.message || at("pay-once").classList.contains("is-busy")) return;
    feed.decline(this.userId, this.message.message_id).catch(() => {});
    this.close();
  }

  complain(problem) {
    at("pay-problem").textContent = problem;
    at("pay-problem").hidden = !problem;
  }

  setBusy(isBusy) {
    at("pay-once").classList.toggle("is-busy", isBusy);
    for (const id of ["pay-once", "pay-twice", "pay-decline"]) at(id).disabled = isBusy;
    if (isBusy) this.complain("");
  }
}

async function problemOf(payment) {
  try {
    const { paid, error_message: reason } = await payment;
    if (paid) return "";
    return reason === "timeout" ? LATE : reason;
  } catch (error) {
    return error instanceof feed.Refused ? error.message : "The stand-in does not answer.";
  }
}

// What a receipt says, whether the invoice or the line about its payment was pressed.
export function receiptOf(message, messages) {
  const related = [...messages.values()].filter((each) => each.charge_id === message.charge_id);
  const invoice = related.find((each) => each.invoice)?.invoice;
  const payment = related.find((each) => each.payment)?.payment;
  const isRefunded = related.some((each) => each.kind === "refunded_payment");
  const amount = payment?.total_amount ?? invoice?.total_amount ?? 0;
  const lines = [invoice?.title ?? "Payment", `${starsOf(amount)} Stars${isRefunded ? ", paid back" : ""}`];
  return [...lines, `Transaction ${message.charge_id}`].join("\n");
}
