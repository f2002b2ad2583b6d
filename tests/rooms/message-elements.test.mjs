// Every element type passes through a live room unchanged, and a wrong one is refused by name.
import assert from 'node:assert/strict';
import test from 'node:test';
import { random, textElement } from '../harness/rest.mjs';
import { world } from '../harness/world.mjs';

const image = (Type) => ({ Type, Size: 1000 * Type, Width: 10, Height: 20, URL: `https://cdn.example/${Type}.png` });

const ELEMENTS = {
  TIMTextElem: { Text: 'text with "quotes", \\ and 字☕' },
  TIMFaceElem: { Index: 7, Data: 'face' },
  TIMLocationElem: { Desc: 'here', Latitude: 29.5, Longitude: -116.25 },
  TIMCustomElem: { Data: '{"a":1}', Desc: 'd', Ext: 'e' },
  TIMSoundElem: { Url: 'https://cdn.example/s', UUID: 's1', Size: 100, Second: 3, Download_Flag: 2 },
  TIMImageElem: { UUID: 'i1', ImageFormat: 1, ImageInfoArray: [image(1), image(2), image(3)] },
  TIMFileElem: { Url: 'https://cdn.example/f', UUID: 'f1', FileSize: 5, FileName: 'a.txt', Download_Flag: 2 },
  TIMVideoFileElem: { VideoUrl: 'https://cdn.example/v', VideoUUID: 'v1', VideoSize: 9, VideoSecond: 2, VideoFormat: 'mp4', VideoDownloadFlag: 2, ThumbUrl: 'https://cdn.example/t', ThumbUUID: 't1', ThumbSize: 3, ThumbWidth: 4, ThumbHeight: 5, ThumbFormat: 'JPG', ThumbDownloadFlag: 2 },
  TIMRelayElem: { Title: 'talk', MsgNum: 1, CompatibleText: 'old client', AbstractList: ['a'], MsgList: [{ From_Account: 'ann', GroupId: 'g', MsgSeq: 1, MsgRandom: 2, MsgTimeStamp: 3, MsgBody: [textElement('inner')] }] },
};

test('every element type sent over REST reaches the SDK and a guest', async (t) => {
  const w = await world(t);
  const room = await w.room();
  const ann = await w.user('ann');
  const guest = await w.guest();
  await ann.join(room);
  await guest.join(room);
  for (const [MsgType, MsgContent] of Object.entries(ELEMENTS)) {
    const { MsgSeq } = await w.rest.group('send_group_msg', { GroupId: room, Random: random(), MsgBody: [{ MsgType, MsgContent }] });
    for (const client of [ann, guest]) {
      const message = await client.waitForMessage(room, (m) => m.sequence === MsgSeq, `${MsgType} at ${client.name}`);
      assert.equal(message.type, MsgType);
      assert.ok(message.payload && Object.keys(message.payload).length > 0, MsgType);
    }
  }
  const text = ann.chats(room).find((m) => m.type === 'TIMTextElem');
  assert.equal(text.payload.text, ELEMENTS.TIMTextElem.Text);
});

test('what the SDK itself makes goes from client to client', async (t) => {
  const w = await world(t);
  const room = await w.room();
  const [ann, ben] = await w.users('ann', 'ben');
  await Promise.all([ann.join(room), ben.join(room)]);
  await ann.sendCustom(room, { data: 'GIFT', description: 'rose', extension: '{"n":1}' }, { priority: 'High', cloudCustomData: 'cloud' });
  const gift = await ben.waitForMessage(room, (m) => m.type === 'TIMCustomElem', 'the custom message');
  assert.deepEqual([gift.payload.data, gift.payload.description, gift.payload.extension], ['GIFT', 'rose', '{"n":1}']);
  assert.equal(gift.priority, 'High');
  assert.equal(gift.cloudCustomData, 'cloud');
  await ann.sendFace(room, { index: 3, data: 'smile' }, { priority: 'Lowest' });
  const face = await ben.waitForMessage(room, (m) => m.type === 'TIMFaceElem', 'the face');
  assert.equal(face.payload.index, 3);
  assert.equal(face.priority, 'Lowest');
  await ann.sendLocation(room, { description: 'here', latitude: 1.5, longitude: 2.5 });
  const place = await ben.waitForMessage(room, (m) => m.type === 'TIMLocationElem', 'the location');
  assert.equal(place.payload.longitude, 2.5);
});

test('several elements in one message stay together', async (t) => {
  const w = await world(t);
  const room = await w.room();
  const ann = await w.raw('ann');
  await ann.join(room);
  const MsgBody = [textElement('one'), { MsgType: 'TIMFaceElem', MsgContent: { Index: 1, Data: 'x' } }, textElement('two')];
  await w.rest.group('send_group_msg', { GroupId: room, Random: random(), MsgBody });
  await ann.waitForText(room, 'one');
  const { item } = ann.items().find(({ item: i }) => i.MsgBody?.[0]?.MsgContent?.Text === 'one');
  assert.deepEqual(item.MsgBody, MsgBody);
});

test('bad elements are refused and the text names the place', async (t) => {
  const w = await world(t);
  const room = await w.room();
  const send = (MsgBody) => w.rest.post('group_open_http_svc/send_group_msg', { GroupId: room, Random: random(), MsgBody });
  const cases = [
    [[], 10004, /MsgBody/],
    [[{ MsgType: 'TIMNopeElem', MsgContent: {} }], 10004, /MsgType/],
    [[{ MsgType: 'TIMTextElem', MsgContent: { Text: 5 } }], 10004, /MsgBody\[0\].*Text/],
    [[{ MsgType: 'TIMTextElem' }], 10004, /MsgContent/],
    [[textElement('ok'), { MsgType: 'TIMFaceElem', MsgContent: { Index: 'x', Data: '' } }], 10004, /MsgBody\[1\].*Index/],
    [[{ MsgType: 'TIMCustomElem', MsgContent: { Data: 'a' } }, { MsgType: 'TIMCustomElem', MsgContent: { Data: 'b' } }], 10004, /TIMCustomElem/],
    [[textElement('x'.repeat(13 * 1024))], 80002, /./],
  ];
  for (const [body, code, text] of cases) {
    const answer = await send(body);
    assert.equal(answer.ErrorCode, code, `${JSON.stringify(body).slice(0, 120)} -> ${JSON.stringify(answer)}`);
    assert.match(answer.ErrorInfo, text);
  }
});
