// A process that delivers one notification, for tests that kill it: node deliver-once.mjs MONGO_URI DATABASE KEY SLACK_URL SMTP_URL. Runs what was built.
import { pino } from 'pino';

/** @param {string} path */
const built = (path) => import(new URL(`../../dist/${path}`, import.meta.url).href);
const { createDeliveryLedger } = await built('stores/notification-ledger.js');
const { createNotifyActivities } = await built('activities/notification/notify.js');
const { mailChannel } = await built('activities/notification/mail.js');
const { slackChannel } = await built('activities/notification/slack.js');
const { connectMongo } = await built('platform/mongo.js');

const [uri, database, key, slack, mail] = process.argv.slice(2);
const mongo = await connectMongo({ uri, database });
const { notify } = createNotifyActivities({
  local: [],
  channels: [slackChannel(slack), mailChannel({ url: mail, from: 'sluice@example.com', to: 'ops@example.com' })],
  ledger: createDeliveryLedger(mongo.db),
  pageOf: () => undefined,
  log: pino({ enabled: false }),
});
await notify({ key, severity: 'critical', title: 'killed', text: 'in between' });
await mongo.close();
