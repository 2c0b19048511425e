"""Whether a page can be read: letters large enough, and told from what they stand on as WCAG AA asks."""

from __future__ import annotations

#: returns what is wrong, as the page is seen now; what is disabled may be pale
READABLE = """() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const colour = text => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = text;
    canvas.fillRect(0, 0, 1, 1);
    const [red, green, blue, alpha] = canvas.getImageData(0, 0, 1, 1).data;
    return [red, green, blue, alpha / 255];
  };
  const over = (upper, lower) => [0, 1, 2].map(at => upper[at] * upper[3] + lower[at] * (1 - upper[3])).concat(1);
  const luminance = ([...rgb]) => rgb.slice(0, 3).map(part => part / 255)
    .map(part => part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)
    .reduce((sum, part, at) => sum + part * [0.2126, 0.7152, 0.0722][at], 0);
  const chain = element => element ? [...chain(element.parentElement), element] : [];
  const behind = element => chain(element).reduce(
    (below, one) => over(colour(getComputedStyle(one).backgroundColor), below), colour("Canvas"));
  const wrong = new Set();
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const text = texts.currentNode.textContent.trim();
    const element = texts.currentNode.parentElement;
    if (!text || !element.checkVisibility({ visibilityProperty: true }) || !element.getClientRects().length) continue;
    if (element.closest("script, style, noscript, option, .visually-hidden, :disabled")) continue;
    const style = getComputedStyle(element);
    const size = parseFloat(style.fontSize);
    const front = colour(style.color);
    front[3] *= chain(element).reduce((all, one) => all * getComputedStyle(one).opacity, 1);
    const back = behind(element);
    const [dark, light] = [luminance(over(front, back)), luminance(back)].sort((one, other) => one - other);
    const ratio = (light + 0.05) / (dark + 0.05);
    const large = size >= 24 || (size >= 18.66 && style.fontWeight >= 700);
    if (ratio < (large ? 3 : 4.5)) wrong.add(`contrast ${ratio.toFixed(2)}: ${text.slice(0, 60)}`);
    if (size < 12) wrong.add(`letters of ${size} pixels: ${text.slice(0, 60)}`);
  }
  return [...wrong];
}"""
