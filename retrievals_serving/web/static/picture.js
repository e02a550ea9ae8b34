// @ts-check
/** @module Searching with a picture of the visitor's: chosen, dropped or pasted. */

import { find } from "./dom.js";

const SIDE = 1024; // px: as much as a model looks at
const QUALITY = 0.85;

/** @type {Map<string | undefined, Blob>} Pictures by their `blob:` addresses, which no two loads of the page share. */
const pictures = new Map();

/** @param {string} [url] @returns {Blob | undefined} undefined after a reload */
export const pictureOf = (url) => pictures.get(url);

/**
 * Call `onPicture` with the address of each picture that the visitor gives, `onRefused` where a file
 * is none.
 * @param {(url: string) => void} onPicture @param {() => void} onRefused
 */
export function acceptPictures(onPicture, onRefused) {
  const take = async (/** @type {File | null | undefined} */ file) => {
    if (!file) return;
    try {
      const blob = await shrunk(file);
      const url = URL.createObjectURL(blob);
      pictures.set(url, blob);
      onPicture(url);
    } catch {
      onRefused();
    }
  };
  const drop = find("drop");
  const fileOf = (/** @type {DataTransfer | null} */ data) => data?.files[0];
  const isFile = (/** @type {DragEvent} */ event) => event.dataTransfer?.types.includes("Files");
  find("file").addEventListener("change", (/** @type {any} */ event) => {
    take(event.target.files[0]);
    event.target.value = "";
  });
  addEventListener("paste", ({ clipboardData }) => {
    if (!clipboardData?.types.includes("text/plain")) take(fileOf(clipboardData)); // text copied with its picture is text
  });
  addEventListener("dragover", (event) => {
    if (!isFile(event)) return;
    event.preventDefault();
    drop.hidden = false;
  });
  addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) drop.hidden = true;
  });
  addEventListener("drop", (event) => {
    if (!isFile(event)) return;
    event.preventDefault();
    drop.hidden = true;
    take(fileOf(event.dataTransfer));
  });
}

/** Make a picture no larger than is looked at, and without what a camera notes of its place. @param {File} file */
async function shrunk(file) {
  const bitmap = await createImageBitmap(file);
  const scale = Math.min(1, SIDE / Math.max(bitmap.width, bitmap.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(bitmap.width * scale));
  canvas.height = Math.max(1, Math.round(bitmap.height * scale));
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.fillStyle = "#fff";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  bitmap.close();
  return /** @type {Promise<Blob>} */ (new Promise((done, fail) => {
    canvas.toBlob((blob) => (blob ? done(blob) : fail(new Error("no picture"))), "image/jpeg", QUALITY);
  }));
}
