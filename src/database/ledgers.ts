/**
 * Tables in which other migration tools and frameworks record what they applied, in lower case. A database that
 * holds one of them and none of TimeTracker's core tables belongs to somebody else.
 */
export const otherLedgers: readonly string[] = [
  '__drizzle_migrations',
  '__efmigrationshistory', // Entity Framework
  '__migrationhistory', // Entity Framework 6
  '_prisma_migrations',
  '_sqlx_migrations',
  '_yoyo_migration',
  'aerich', // Tortoise ORM
  'ar_internal_metadata', // Rails
  'atlas_schema_revisions',
  'changelog_lock', // MyBatis
  'databasechangelog', // Liquibase
  'databasechangeloglock',
  'django_migrations',
  'doctrine_migration_versions',
  'ecto_migrations',
  'flyway_schema_history',
  'goose_db_version',
  'gorp_migrations',
  'knex_migrations',
  'knex_migrations_lock',
  'kysely_migration',
  'mikro_orm_migrations',
  'migration_versions', // Doctrine
  'pgmigrations', // node-pg-migrate
  'phinxlog',
  'refinery_schema_history',
  'schema_migrations', // Rails, dbmate, golang-migrate
  'schema_version', // Flyway before 5
  'schemaversions', // DbUp
  'sequelizemeta',
  'typeorm_metadata',
];
