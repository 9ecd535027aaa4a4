// The marks, each with a shape of its own, so that colour is not what tells them apart.

// What the legend says of them, and in which colour they are.
export const MARK_LOOKS = {
  'enter': {colour: 'enter', says: 'enter'},
  'update': {colour: 'update', says: 'update'},
  'present': {colour: 'enter', says: 'is present'},
  'leave': {colour: 'leave', says: 'leave'},
  'lost': {colour: 'lost', says: 'leave made up by the server'},
  'swept': {colour: 'swept', says: 'leave made up here: swept'},
  'stale': {colour: 'stale', says: 'dropped, stale'},
  'again': {colour: 'quiet', says: 'named again'},
  'tombstone': {colour: 'tomb', says: 'tombstone kept'},
  'tombstone-dropped': {colour: 'tomb'},
  'suspicion': {colour: 'bad', says: 'odd'},
  'malformed': {colour: 'bad', says: 'malformed, warning'},
  'refused': {colour: 'bad', says: 'refused'},
  'answered': {colour: 'good', says: 'answered'},
  'sent': {colour: 'update', says: 'sent'},
  'waits': {colour: 'wait', says: 'waits'},
  'ignored': {colour: 'quiet', says: 'ignored'},
  'noted': {colour: 'quiet'},
  'line': {colour: 'quiet'},
  'own': {colour: 'own'},
  'state': {colour: 'text'},
  'sync': {colour: 'sync'},
  'page': {colour: 'sync', says: 'page of a sync'},
};

// Draws a mark around a point; r: half its size.
export function drawMark(ctx, mark, x, y, r, colours) {
  const colour = colours[MARK_LOOKS[mark].colour];
  ctx.fillStyle = colour;
  ctx.strokeStyle = colours.ground;
  ctx.lineWidth = 1.25;
  ctx.beginPath();
  switch (mark) {
    case 'enter':
      ctx.moveTo(x - r, y - r); ctx.lineTo(x + r, y); ctx.lineTo(x - r, y + r); ctx.closePath();
      break;
    case 'leave':
      ctx.moveTo(x + r, y - r); ctx.lineTo(x - r, y); ctx.lineTo(x + r, y + r); ctx.closePath();
      break;
    case 'lost':
    case 'swept':
      // Hollow: nobody sent it for himself.
      ctx.moveTo(x + r, y - r); ctx.lineTo(x - r, y); ctx.lineTo(x + r, y + r); ctx.closePath();
      ctx.fillStyle = colours.ground;
      ctx.fill();
      ctx.strokeStyle = colour;
      ctx.lineWidth = 2;
      ctx.stroke();
      if (mark === 'swept') {
        ctx.beginPath(); ctx.moveTo(x - r, y - r); ctx.lineTo(x - r, y + r); ctx.stroke();
      }
      return;
    case 'present':
      ctx.rect(x - r * 0.8, y - r * 0.8, r * 1.6, r * 1.6);
      ctx.fillStyle = colours.ground;
      ctx.fill();
      ctx.strokeStyle = colour;
      ctx.lineWidth = 2;
      ctx.stroke();
      return;
    case 'stale':
    case 'refused':
      for (const [width, style] of [[4.5, colours.ground], [2.2, colour]]) {
        ctx.beginPath();
        ctx.moveTo(x - r, y - r); ctx.lineTo(x + r, y + r); ctx.moveTo(x + r, y - r); ctx.lineTo(x - r, y + r);
        ctx.lineWidth = width;
        ctx.strokeStyle = style;
        ctx.stroke();
      }
      return;
    case 'tombstone':
      ctx.rect(x - r * 0.3, y - r * 1.1, r * 0.6, r * 2.2);
      ctx.rect(x - r * 0.8, y - r * 0.6, r * 1.6, r * 0.6);
      break;
    case 'tombstone-dropped':
      ctx.rect(x - 1, y - r * 0.8, 2, r * 1.6);
      break;
    case 'suspicion':
    case 'malformed':
      ctx.moveTo(x, y - r * 1.15); ctx.lineTo(x + r * 1.1, y + r); ctx.lineTo(x - r * 1.1, y + r); ctx.closePath();
      ctx.fill(); ctx.stroke();
      ctx.fillStyle = colours.ground;
      ctx.fillRect(x - 0.9, y - r * 0.45, 1.8, r * 0.75);
      ctx.fillRect(x - 0.9, y + r * 0.5, 1.8, 1.6);
      return;
    case 'sent':
      ctx.moveTo(x, y - r); ctx.lineTo(x + r, y + r * 0.8); ctx.lineTo(x, y + r * 0.3); ctx.lineTo(x - r, y + r * 0.8); ctx.closePath();
      break;
    case 'answered':
      for (const [width, style] of [[4.5, colours.ground], [2.2, colour]]) {
        ctx.beginPath();
        ctx.moveTo(x - r, y); ctx.lineTo(x - r * 0.2, y + r * 0.8); ctx.lineTo(x + r, y - r * 0.8);
        ctx.lineWidth = width;
        ctx.strokeStyle = style;
        ctx.stroke();
      }
      return;
    case 'waits':
      ctx.moveTo(x - r, y - r); ctx.lineTo(x + r, y - r); ctx.lineTo(x - r, y + r); ctx.lineTo(x + r, y + r); ctx.closePath();
      break;
    case 'sync':
      ctx.rect(x - 1.5, y - r * 1.3, 3, r * 2.6);
      break;
    case 'page':
      ctx.rect(x - r * 0.6, y - r * 0.9, r * 1.2, r * 1.8);
      break;
    case 'state':
      ctx.moveTo(x, y - r); ctx.lineTo(x + r, y); ctx.lineTo(x, y + r); ctx.lineTo(x - r, y); ctx.closePath();
      break;
    case 'update':
      ctx.arc(x, y, r * 0.85, 0, 7);
      break;
    case 'again':
      ctx.rect(x - 1.25, y - r, 2.5, 2 * r);
      break;
    default:
      ctx.arc(x, y, r * 0.5, 0, 7);
  }
  ctx.fill();
  ctx.stroke();
}
