import type { Migration } from '../src/migration/migration.ts';

export const revision = '183_add_device_token_push_subscription';
export const parents: readonly string[] = ['182_add_project_last_used_at'];

/** Adds devices to push subscriptions. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumns('push_subscriptions', {
    device_token: 'VARCHAR(512)',
    platform: 'VARCHAR(20)',
  });
  await schema.addIndex('push_subscriptions', ['device_token'], { name: 'ix_push_subscriptions_device_token' });
};
