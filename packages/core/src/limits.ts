/** Every bound of core in one place. */
export const limits = {
  /** An id, in bytes of UTF-8: what an index entry of either engine holds. */
  idBytesMax: 2_704,
  /** A sleep; what is asked beyond it sleeps that long (a hundred years), in ms. */
  sleepMsMax: 3_155_760_000_000,
  /** Longest single wait of a timer before it looks at the clock again, in ms; Node's own timers end at 2^31 - 1. */
  timerMsMax: 1_000_000_000,
  /** First client time that is kept, in ms: PostgreSQL's TIMESTAMPTZ begins in 4713 BC. */
  eventTimeMsMin: -210_866_803_200_000,
  /** Last client time that is kept, in ms: the original's calendar ends in 262142. */
  eventTimeMsMax: 8_210_266_876_799_999,
  /** Last time at which something may be planned, in ms. */
  timeMsMax: 8_200_000_000_000_000,
  /** Largest payload of a signal, output or input that is passed on inside another message: a frame less its other fields, in bytes. */
  payloadBytesMax: 67_000_000,
  /** Checkpoints, and likewise messages, in one batch. */
  entriesPerBatchMax: 1_000,
  /** Batches of several instances in one call. */
  batchesPerCallMax: 256,
  /** Epochs that one connection remembers; beyond it the oldest is forgotten. */
  stampsPerConnectionMax: 100_000,
  /** Tags of one instance. */
  tagsMax: 64,
  /** Bytes of a tag's name, and of its value. */
  tagBytesMax: 256,
  /** Pages of an instance's own checkpoints: longest state sent along where the request names none, in bytes. */
  ownStateBytes: 262_144,
  /** Most that a request may name for it. */
  ownStateBytesMax: 8_388_608,
  /** Bytes of states in one such page where the request names none. */
  ownPageBytes: 4_194_304,
  /** Most that a request may name for them. */
  ownPageBytesMax: 8_388_608,
  /** An error text in such a page is cut to this many characters. */
  ownErrorCharactersMax: 512,
  /** Characters of the cron text of a schedule. */
  cronCharactersMax: 256,
  /** Cron texts that are kept in the form in which times are reckoned with them. */
  cronTimesMax: 1_000,
  /** How long a process has a schedule in hand that it fires; if it dies meanwhile, another one takes over then, in ms. */
  scheduleLeaseMs: 10_000,
  /** Schedules that are fired in one round. */
  scheduleBatch: 100,
  /** Instances that are started in one round of schedules; what is to be caught up beyond it follows in the next. */
  scheduleStartsMax: 250,
  /** A planned time that nobody has had in hand for so long was missed, in ms. */
  scheduleGraceMs: 60_000,
  /** Shortest time between two looks at a schedule whose next start waits for the end of the last one, in ms. */
  scheduleLookMs: 1_000,
  /** Longest time between two such looks, in ms; less than the grace. */
  scheduleLookMsMax: 30_000,
  /** Silence after which an instance that nobody launched counts as lost, in ms. */
  staleAfterMs: 120_000,
  /** How long `close` waits for calls that are being carried out, in ms. */
  drainMs: 5_000,
  /** How long a claim or a wait for signals is held open that asks for 0, in ms. */
  pollWaitMs: 30_000,
  /** How long one is held open at most, in ms. */
  pollWaitMsMax: 300_000,
  /** A worker's lease where it asks for 0, in ms. */
  leaseMs: 5_000,
  /** Shortest lease, in ms. */
  leaseMsMin: 1_000,
  /** Longest lease, in ms. */
  leaseMsMax: 300_000,
  /** Workflows that one claim offers. */
  offersMax: 1_000,
  /** Versions of one workflow that a claim offers. */
  versionsMax: 100,
  /** Instances that one claim gives. */
  claimedMax: 1_000,
  /** Instances in one release. */
  releasedMax: 1_000,
  /** Bytes of inputs in one answer to a claim, which has at least one instance. */
  claimAnswerBytesMax: 33_554_432,
  /** Time until a claim is tried again while there is work that cannot be had: another claim has it in hand, or capacity is used up, in ms. */
  heldBackMs: 25,
  /** How often an open claim looks for work without having been told of any, in ms. */
  claimLookMs: 30_000,
  /** Instances whose signals one connection waits for. */
  interestsPerConnectionMax: 100_000,
  /** Names of signals that are awaited for one instance. */
  namesPerInterestMax: 1_000,
  /** Characters of all ids and names that one connection waits for. */
  interestCharactersMax: 33_554_432,
  /** Ended interests that are remembered, so that a poll that comes late does not bring them back. */
  endedInterestsMax: 10_000,
  /** Instances whose signals are read with one operation. */
  interestsPerRead: 1_000,
  /** Bytes of payloads in one answer with signals. */
  signalAnswerBytesMax: 4_194_304,
  /** Shortest time between two looks at what is due, in ms. */
  dueGapMs: 20,
  /** Instances whose due time is dealt with in one operation. */
  dueBatch: 500,
  /** Ends of instances that are settled in one operation. */
  settleBatch: 100,
  /** How often open ends are looked for that another process may have left, in ms. */
  settleEveryMs: 30_000,
  /** How long it may take until the store knows that an instance was heard, in ms. */
  touchFlushMs: 10_000,
  /** Notes that an instance was heard, in one operation. */
  touchBatch: 1_000,
  /** Such notes that may wait. */
  touchesMax: 100_000,
  /** Listings for operators: rows that are meant by 0. */
  listLimit: 100,
  /** Listings for operators: rows at most. */
  listLimitMax: 1_000,
  /** Rows at most in the listings that the original has, too. */
  listRowsMax: 10_000,
  /** Ends of pages that are remembered, so that the page behind one begins there whatever was inserted before it. */
  pageCursorsMax: 256,
  /** How long such an end is remembered, in ms. */
  pageCursorMs: 60_000,
  /** Histories and changes: longest state or payload sent along where the request names none, in bytes. */
  historyStateBytes: 262_144,
  /** Most that a request may name for it. */
  historyStateBytesMax: 1_048_576,
  /** Bytes of all states and payloads in one page of a history. */
  historyPageBytesMax: 33_554_432,
  /** Entries in one answer of a watch, and instances in one of the feed of changes. */
  changesMax: 100,
  /** While somebody watches: how often changes are looked for that other processes do not announce, in ms. */
  watchLookMs: 1_000,
  /** Changed instances that the feed of changes remembers; whoever is further behind lists anew. */
  feedInstancesMax: 10_000,
  /** Time between the first change that a poll of the feed sees and its answer, so that others come with it, in ms. */
  feedGatherMs: 100,
  /** Time without a poll after which the feed forgets everything, in ms. */
  feedIdleMs: 60_000,
  /** Changed instances that a poll of the feed reads at once. */
  feedReads: 8,
  /** Names of awaited signals that are shown of one instance. */
  waitingForShownMax: 100,
  /** Bytes of an operator's reason. */
  reasonBytesMax: 65_536,
  /** Characters of it that are shown in the details of an instance. */
  reasonCharactersShownMax: 512,
  /** A core is ready if its store answers within this time, in ms. */
  readyWithinMs: 2_000,
  /** Rows that retention removes with one operation. */
  retentionBatch: 1_000,
  /** How often retention looks for what is old, in ms. */
  retentionEveryMs: 60_000,
  /** After a failure of the store, what core does by itself is tried again after this long, doubled each time, in ms. */
  troubleDelayMs: 50,
  /** Longest delay that this doubling leads to, in ms. */
  troubleDelayMsMax: 5_000,
  /** Longest wait for a time of the wall clock before the clock is looked at again, in ms: it may have been set. */
  clockLookMs: 60_000,
} as const;
