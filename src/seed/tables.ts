/** The tables that the seed fills, in this order: a table comes after the tables that it refers to. */
export const seededTables = [
  'users',
  'clients',
  'projects',
  'tasks',
  'time_entries',
  'expense_categories',
  'expenses',
  'comments',
  'warehouses',
  'stock_items',
  'warehouse_stock',
  'stock_movements',
  'currencies',
  'tax_rules',
  'invoices',
  'invoice_items',
  'payments',
] as const;

export type SeededTable = (typeof seededTables)[number];

/** The number of added rows of each table. */
export type Counts = Readonly<Record<SeededTable, number>>;

/** Returns new counts that are all 0. */
export const noCounts = (): { [Table in SeededTable]: number } => ({
  users: 0,
  clients: 0,
  projects: 0,
  tasks: 0,
  time_entries: 0,
  expense_categories: 0,
  expenses: 0,
  comments: 0,
  warehouses: 0,
  stock_items: 0,
  warehouse_stock: 0,
  stock_movements: 0,
  currencies: 0,
  tax_rules: 0,
  invoices: 0,
  invoice_items: 0,
  payments: 0,
});
