import type { Migration } from '../src/migration/migration.ts';
import type { Schema } from '../src/migration/schema-builder/schema.ts';

export const revision = '037_advanced_expenses';
export const parents: readonly string[] = ['036_add_pdf_design_json'];

/** The initial categories: name, code, colour, icon, whether expenses need a receipt, whether they need an approval. */
const categories = [
  ['Travel', 'TRAVEL', '#4CAF50', '✈️', true, true],
  ['Meals', 'MEALS', '#FF9800', '🍽️', true, false],
  ['Accommodation', 'ACCOM', '#2196F3', '🏨', true, true],
  ['Office Supplies', 'OFFICE', '#9C27B0', '📎', false, false],
  ['Equipment', 'EQUIP', '#F44336', '💻', true, true],
  ['Mileage', 'MILE', '#00BCD4', '🚗', false, false],
  ['Per Diem', 'PERDIEM', '#8BC34A', '📅', false, false],
] as const;

/** The initial per-diem rates: country, currency, rate per day, and the deductions for breakfast, lunch and dinner. */
const rates = [
  ['US', 'USD', 55, 13, 16, 26],
  ['GB', 'GBP', 45, 10, 13, 22],
  ['DE', 'EUR', 24, 5, 8, 11],
  ['FR', 'EUR', 20, 4, 7, 9],
] as const;

/** The country and the first day for which a rate is valid. */
const [location, valid_from] = ['General', '2025-01-01'];

/** Creates expense categories, mileage and per diems, with initial rows. */
export const up: Migration = async ({ context: schema }) => {
  await schema.createTable('expense_categories', {
    id: 'SERIAL PRIMARY KEY',
    name: 'VARCHAR(100) NOT NULL UNIQUE',
    description: 'TEXT',
    code: 'VARCHAR(20) UNIQUE',
    color: 'VARCHAR(7)',
    icon: 'VARCHAR(50)',
    monthly_budget: 'NUMERIC(10,2)',
    quarterly_budget: 'NUMERIC(10,2)',
    yearly_budget: 'NUMERIC(10,2)',
    budget_threshold_percent: 'INTEGER NOT NULL DEFAULT 80',
    requires_receipt: 'BOOLEAN NOT NULL DEFAULT TRUE',
    requires_approval: 'BOOLEAN NOT NULL DEFAULT TRUE',
    default_tax_rate: 'NUMERIC(5,2)',
    is_active: 'BOOLEAN NOT NULL DEFAULT TRUE',
    created_at: 'TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP',
    updated_at: 'TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP',
  });
  await schema.addIndex('expense_categories', ['code'], { name: 'ix_expense_categories_code', unique: true });
  await schema.addIndex('expense_categories', ['name'], { name: 'ix_expense_categories_name', unique: true });

  await schema.createTable('mileage', {
    id: 'SERIAL PRIMARY KEY',
    user_id: 'INTEGER NOT NULL REFERENCES users(id)',
    project_id: 'INTEGER REFERENCES projects(id)',
    client_id: 'INTEGER REFERENCES clients(id)',
    expense_id: 'INTEGER',
    trip_date: 'DATE NOT NULL',
    trip_purpose: 'TEXT NOT NULL',
    start_location: 'VARCHAR(255) NOT NULL',
    end_location: 'VARCHAR(255) NOT NULL',
    distance_km: 'NUMERIC(10,2) NOT NULL',
    vehicle_type: 'VARCHAR(50)',
    vehicle_registration: 'VARCHAR(20)',
    rate_per_km: 'NUMERIC(10,4)',
    total_amount: 'NUMERIC(10,2)',
    status: "VARCHAR(20) NOT NULL DEFAULT 'pending'",
    approved_by: 'INTEGER REFERENCES users(id)',
    approved_at: 'TIMESTAMP',
    rejection_reason: 'TEXT',
    notes: 'TEXT',
    created_at: 'TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP',
    updated_at: 'TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP',
  });
  await schema.addIndex('mileage', ['trip_date'], { name: 'ix_mileage_trip_date' });
  await schema.addIndex('mileage', ['user_id'], { name: 'ix_mileage_user_id' });

  await schema.createTable('per_diem_rates', {
    id: 'SERIAL PRIMARY KEY',
    country_code: 'VARCHAR(2) NOT NULL',
    location: 'VARCHAR(255)',
    rate_per_day: 'NUMERIC(10,2) NOT NULL',
    breakfast_deduction: 'NUMERIC(10,2)',
    lunch_deduction: 'NUMERIC(10,2)',
    dinner_deduction: 'NUMERIC(10,2)',
    valid_from: 'DATE NOT NULL',
    valid_to: 'DATE',
    currency_code: 'VARCHAR(3) NOT NULL',
    notes: 'TEXT',
    is_active: 'BOOLEAN NOT NULL DEFAULT TRUE',
    created_at: 'TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP',
  });
  await schema.addIndex('per_diem_rates', ['country_code'], { name: 'ix_per_diem_rates_country' });
  await schema.addIndex('per_diem_rates', ['valid_from'], { name: 'ix_per_diem_rates_valid_from' });

  await schema.createTable('per_diems', {
    id: 'SERIAL PRIMARY KEY',
    user_id: 'INTEGER NOT NULL REFERENCES users(id)',
    project_id: 'INTEGER REFERENCES projects(id)',
    client_id: 'INTEGER REFERENCES clients(id)',
    expense_id: 'INTEGER',
    trip_start_date: 'DATE NOT NULL',
    trip_end_date: 'DATE NOT NULL',
    destination_country: 'VARCHAR(2) NOT NULL',
    destination_location: 'VARCHAR(255)',
    per_diem_rate_id: 'INTEGER REFERENCES per_diem_rates(id)',
    number_of_days: 'INTEGER NOT NULL',
    breakfast_provided: 'INTEGER NOT NULL DEFAULT 0',
    lunch_provided: 'INTEGER NOT NULL DEFAULT 0',
    dinner_provided: 'INTEGER NOT NULL DEFAULT 0',
    total_amount: 'NUMERIC(10,2)',
    currency_code: 'VARCHAR(3) NOT NULL',
    status: "VARCHAR(20) NOT NULL DEFAULT 'pending'",
    approved_by: 'INTEGER REFERENCES users(id)',
    approved_at: 'TIMESTAMP',
    rejection_reason: 'TEXT',
    notes: 'TEXT',
    created_at: 'TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP',
    updated_at: 'TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP',
  });
  await schema.addIndex('per_diems', ['trip_start_date'], { name: 'ix_per_diems_trip_start' });
  await schema.addIndex('per_diems', ['user_id'], { name: 'ix_per_diems_user_id' });

  await schema.addColumns('expenses', {
    ocr_data: 'TEXT',
    mileage_id: 'INTEGER',
    per_diem_id: 'INTEGER',
  });

  // Added separately from the tables, because the application left SQLite databases that have the tables without them.
  const toExpense = 'FOREIGN KEY (expense_id) REFERENCES expenses(id)';
  await schema.addConstraint('mileage', 'fk_mileage_expense', toExpense);
  await schema.addConstraint('per_diems', 'fk_per_diems_expense', toExpense);
  await schema.addConstraint('expenses', 'fk_expenses_mileage', 'FOREIGN KEY (mileage_id) REFERENCES mileage(id)');
  await schema.addConstraint('expenses', 'fk_expenses_per_diem', 'FOREIGN KEY (per_diem_id) REFERENCES per_diems(id)');
  await seed(schema);
};

/**
 * Inserts categories unless their name or code exists, and rates unless there is one for the same place and day, or all
 * initial rates were replaced.
 */
const seed = async (schema: Schema): Promise<void> => {
  await schema.insertMissing(
    'expense_categories',
    [['name'], ['code']],
    categories.map(([name, code, color, icon, requires_receipt, requires_approval]) => ({
      name,
      code,
      color,
      icon,
      requires_receipt,
      requires_approval,
      is_active: true,
    })),
  );
  if (await hasOnlyOtherRates(schema)) return;
  await schema.insertMissing(
    'per_diem_rates',
    [['country_code', 'location', 'valid_from']],
    rates.map(
      ([country_code, currency_code, rate_per_day, breakfast_deduction, lunch_deduction, dinner_deduction]) => ({
        country_code,
        location,
        rate_per_day,
        breakfast_deduction,
        lunch_deduction,
        dinner_deduction,
        valid_from,
        currency_code,
        is_active: true,
      }),
    ),
  );
};

/** Whether there are rates, but none of the initial ones: somebody may have replaced them. */
const hasOnlyOtherRates = async (schema: Schema): Promise<boolean> => {
  if (!schema.hasColumn('per_diem_rates', 'location') || !schema.hasColumn('per_diem_rates', 'valid_from'))
    return false;
  const [row] = await schema.query(`
    SELECT count(*) AS rates, count(CASE WHEN location = '${location}' AND valid_from = '${valid_from}' THEN 1 END) AS first
    FROM per_diem_rates`);
  return Number(row?.['rates']) > 0 && Number(row?.['first']) === 0;
};
