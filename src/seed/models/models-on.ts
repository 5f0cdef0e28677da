import { BaseError, type Options, Sequelize } from 'sequelize';
import type { DriverConnection } from '../../database/database.ts';
import { sqlite3Module } from '../../database/sqlite/sqlite3-module.ts';
import { defineModels, type Models } from './models.ts';

const common: Options = {
  logging: false,
  // the rows have their own timestamps: Sequelize would not use the application's local time
  define: { timestamps: false, underscored: true, freezeTableName: true },
};

/**
 * Runs `work` with models of the tables on a connection that is in a transaction. Sequelize opens no connection, so its
 * statements are part of that transaction, and protected by the lock that the connection holds.
 * @throws the driver's errors instead of Sequelize's, because the other modules handle those
 */
export async function withModels<Result>(
  connection: DriverConnection,
  work: (models: Models) => Promise<Result>,
): Promise<Result> {
  try {
    return await work(defineModels(sequelizeOn(connection)));
  } catch (error) {
    throw error instanceof BaseError && 'parent' in error ? error.parent : error;
  }
}

function sequelizeOn(connection: DriverConnection): Sequelize {
  switch (connection.engine) {
    case 'postgresql': {
      const sequelize = new Sequelize({ ...common, dialect: 'postgres', dialectModule: connection.driver });
      sequelize.connectionManager.getConnection = async () => connection.client;
      sequelize.connectionManager.releaseConnection = () => undefined;
      return sequelize;
    }
    case 'sqlite': {
      const { database } = connection;
      return new Sequelize({
        ...common,
        dialect: 'sqlite',
        storage: database.name,
        dialectModule: sqlite3Module(database),
      });
    }
  }
}
