import type { Migration } from '../src/migration/migration.ts';

export const revision = '156_add_user_theme_columns';
export const parents: readonly string[] = ['155_add_integration_columns'];

/** Adds the look of the user interface to users. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumns('users', {
    theme_name: "VARCHAR(50) DEFAULT 'default'",
    theme_accent_color: 'VARCHAR(7)',
    theme_sidebar_style: "VARCHAR(20) DEFAULT 'default'",
    theme_font_size: "VARCHAR(10) DEFAULT 'base'",
    theme_border_radius: "VARCHAR(10) DEFAULT 'default'",
  });
};
