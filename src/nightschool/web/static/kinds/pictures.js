// A picture from outside: made small enough to be kept in this browser until it is sent.
//
// What is sent is what was shown: the picture is drawn anew, on white, without the place and the
// time that cameras write into their files.

import { t } from "../texts.js";

const LONGEST = 1024;
const LARGEST_FILE = 32 * 2 ** 20;
const LARGEST_KEPT = 400_000;

// The first picture among the files of a drop, a paste or a choice; null without one.
export function pictureIn(files) {
  return [...(files ?? [])].find((file) => file.type.startsWith("image/")) ?? null;
}

// A file as a data URL; throws an error in words.
export async function take(file) {
  if (file.size > LARGEST_FILE) throw new Error(t("too_large"));
  let image;
  try {
    image = await createImageBitmap(file);
  } catch {
    throw new Error(t("no_picture"));
  }
  return encode(image);
}

export async function fetched(path) {
  const response = await fetch(path);
  if (!response.ok) throw new Error(t("lost_picture"));
  return take(await response.blob());
}

function encode(image) {
  const scale = Math.min(1, LONGEST / Math.max(image.width, image.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(image.width * scale));
  canvas.height = Math.max(1, Math.round(image.height * scale));
  const paper = canvas.getContext("2d");
  paper.fillStyle = "#ffffff";
  paper.fillRect(0, 0, canvas.width, canvas.height);
  paper.drawImage(image, 0, 0, canvas.width, canvas.height);
  const exact = canvas.toDataURL("image/png");
  return exact.length <= LARGEST_KEPT ? exact : canvas.toDataURL("image/jpeg", 0.9);
}
