import { type Model, type ModelScopeOptions, type ModelStatic, Op, type Sequelize } from 'sequelize';
import type { Columns, NewRowOf, RowOf } from './columns.ts';
import { describeTables } from './tables.ts';

type Tables = ReturnType<typeof describeTables>;

/** The name of a table that has a model. */
export type ModelledTable = keyof Tables;

/** A row to insert. It must give all truth values, because some of their defaults are texts on SQLite. */
export type NewRow<Table extends ModelledTable> = NewRowOf<Tables[Table]>;

type ModelOf<Of extends Columns> = ModelStatic<Model<RowOf<Of>, NewRowOf<Of>>>;

/** The models, by the name of the table. */
export type Models = { readonly [Table in ModelledTable]: ModelOf<Tables[Table]> };

/** Defines the models of the tables, with their scopes and associations, on a connection. */
export function defineModels(sequelize: Sequelize): Models {
  const tables = describeTables();
  const define = <Of extends Columns>(
    table: string,
    columns: Of,
    scopes: ModelScopeOptions<RowOf<Of>> = {},
  ): ModelOf<Of> => sequelize.define<Model<RowOf<Of>, NewRowOf<Of>>>(table, { ...columns }, { scopes });
  const models: Models = {
    users: define('users', tables.users, { active: { where: { is_active: true } } }),
    clients: define('clients', tables.clients),
    projects: define('projects', tables.projects),
    tasks: define('tasks', tables.tasks),
    time_entries: define('time_entries', tables.time_entries, {
      numbered: { where: { notes: { [Op.like]: '%(dev %' } } },
      /** Entries that overlap the time between two timestamps; a running timer has no end. */
      between: (from: string, to: string) => ({
        where: { start_time: { [Op.lt]: to }, end_time: { [Op.or]: [null, { [Op.gt]: from }] } },
      }),
    }),
    expense_categories: define('expense_categories', tables.expense_categories),
    expenses: define('expenses', tables.expenses, {
      numbered: { where: { receipt_number: { [Op.like]: 'DEV-R-%' } } },
    }),
    comments: define('comments', tables.comments, { numbered: { where: { content: { [Op.like]: '%(dev %' } } } }),
    warehouses: define('warehouses', tables.warehouses),
    stock_items: define('stock_items', tables.stock_items),
    warehouse_stock: define('warehouse_stock', tables.warehouse_stock),
    stock_movements: define('stock_movements', tables.stock_movements, {
      numbered: { where: { reason: { [Op.like]: '%(dev %' } } },
    }),
    currencies: define('currencies', tables.currencies),
    tax_rules: define('tax_rules', tables.tax_rules),
    invoices: define('invoices', tables.invoices),
    invoice_items: define('invoice_items', tables.invoice_items),
    payments: define('payments', tables.payments),
    settings: define('settings', tables.settings),
  };
  associate(models);
  return models;
}

/** Defines the associations, which follow the foreign keys of the schema. */
function associate(models: Models): void {
  const { users, clients, projects, tasks, time_entries: timeEntries, invoices, warehouses } = models;
  const { stock_items: stockItems, warehouse_stock: levels, stock_movements: movements } = models;
  const belongs = (
    child: ModelStatic<Model>,
    parent: ModelStatic<Model>,
    as: string,
    foreignKey = `${as}_id`,
  ): void => {
    child.belongsTo(parent, { as, foreignKey });
  };
  belongs(projects, clients, 'client');
  belongs(tasks, projects, 'project');
  belongs(tasks, users, 'creator', 'created_by');
  belongs(tasks, users, 'assignee', 'assigned_to');
  belongs(timeEntries, users, 'user');
  belongs(timeEntries, clients, 'client');
  belongs(timeEntries, projects, 'project');
  belongs(timeEntries, tasks, 'task');
  belongs(models.expenses, users, 'user');
  belongs(models.expenses, clients, 'client');
  belongs(models.expenses, projects, 'project');
  belongs(models.comments, users, 'user');
  belongs(models.comments, tasks, 'task');
  belongs(warehouses, users, 'creator', 'created_by');
  belongs(stockItems, users, 'creator', 'created_by');
  belongs(levels, warehouses, 'warehouse');
  belongs(levels, stockItems, 'item', 'stock_item_id');
  belongs(movements, warehouses, 'warehouse');
  belongs(movements, stockItems, 'item', 'stock_item_id');
  belongs(movements, users, 'mover', 'moved_by');
  belongs(invoices, users, 'creator', 'created_by');
  belongs(invoices, clients, 'client');
  belongs(invoices, projects, 'project');
  belongs(models.invoice_items, invoices, 'invoice');
  belongs(models.payments, invoices, 'invoice');
  belongs(models.payments, users, 'receiver', 'received_by');
}
