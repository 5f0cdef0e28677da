/** What the metrics of TT_METRICS_FILE mean, in the order in which they are written. All of them are gauges. */
export const metricTexts = [
  ['db_init_info', 'The version of db-init that ran last.'],
  ['db_init_state', 'The state of the database at the end of the last run that saw it: 1 for the one that it is in.'],
  ['db_init_exit_code', 'The exit code of the last run; 0 means that all is well.'],
  ['db_init_last_run_timestamp_seconds', 'When the last run ended.'],
  ['db_init_last_run_duration_seconds', 'How long the last run took.'],
  ['db_init_last_success_timestamp_seconds', 'When a run ended with exit code 0 for the last time.'],
  ['db_init_last_change_timestamp_seconds', 'When a run changed the database for the last time.'],
  ['db_init_last_backup_timestamp_seconds', 'When a backup was made for the last time.'],
  ['db_init_last_backup_size_bytes', 'How large that backup is.'],
] as const;

export type Metric = (typeof metricTexts)[number][0];
