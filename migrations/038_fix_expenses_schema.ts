import type { Migration } from '../src/migration/migration.ts';

export const revision = '038_fix_expenses_schema';
export const parents: readonly string[] = ['037_advanced_expenses'];

/** The renamed columns, by table. Their indexes keep their old names. */
const renamed = {
  mileage: {
    trip_purpose: 'purpose',
    vehicle_registration: 'license_plate',
    total_amount: 'calculated_amount',
  },
  per_diem_rates: {
    location: 'city',
    valid_from: 'effective_from',
    valid_to: 'effective_to',
    country_code: 'country',
  },
  per_diems: {
    trip_start_date: 'start_date',
    trip_end_date: 'end_date',
    destination_country: 'country',
    destination_location: 'city',
    number_of_days: 'full_days',
    total_amount: 'calculated_amount',
  },
};

/**
 * Gives mileage and per diems the columns that the application uses. The rate per day becomes the rate for full days,
 * and half of it the rate for half days; deductions for meals are dropped.
 */
export const up: Migration = async ({ context: schema }) => {
  for (const [table, columns] of Object.entries(renamed)) {
    for (const [from, to] of Object.entries(columns)) await schema.renameColumn(table, from, to);
  }
  await schema.addColumns('mileage', {
    description: 'TEXT',
    start_odometer: 'NUMERIC(10,2)',
    end_odometer: 'NUMERIC(10,2)',
    distance_miles: 'NUMERIC(10,2)',
    rate_per_mile: 'NUMERIC(10,4)',
    vehicle_description: 'VARCHAR(200)',
    is_round_trip: 'BOOLEAN NOT NULL DEFAULT FALSE',
    reimbursed: 'BOOLEAN NOT NULL DEFAULT FALSE',
    reimbursed_at: 'TIMESTAMP',
    currency_code: "VARCHAR(3) NOT NULL DEFAULT 'EUR'",
  });
  await schema.addColumns('per_diem_rates', {
    full_day_rate: "NUMERIC(10,2) NOT NULL DEFAULT '0'",
    half_day_rate: "NUMERIC(10,2) NOT NULL DEFAULT '0'",
    breakfast_rate: 'NUMERIC(10,2)',
    lunch_rate: 'NUMERIC(10,2)',
    dinner_rate: 'NUMERIC(10,2)',
    incidental_rate: 'NUMERIC(10,2)',
    updated_at: 'TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP',
  });
  await schema.addColumns('per_diems', {
    trip_purpose: "VARCHAR(255) NOT NULL DEFAULT 'Business trip'",
    description: 'TEXT',
    departure_time: 'TIME',
    return_time: 'TIME',
    half_days: 'INTEGER NOT NULL DEFAULT 0',
    total_days: "NUMERIC(5,2) NOT NULL DEFAULT '0'",
    full_day_rate: "NUMERIC(10,2) NOT NULL DEFAULT '0'",
    half_day_rate: "NUMERIC(10,2) NOT NULL DEFAULT '0'",
    breakfast_deduction: "NUMERIC(10,2) NOT NULL DEFAULT '0'",
    lunch_deduction: "NUMERIC(10,2) NOT NULL DEFAULT '0'",
    dinner_deduction: "NUMERIC(10,2) NOT NULL DEFAULT '0'",
    reimbursed: 'BOOLEAN NOT NULL DEFAULT FALSE',
    reimbursed_at: 'TIMESTAMP',
    approval_notes: 'TEXT',
  });

  if (schema.hasColumn('per_diem_rates', 'rate_per_day')) {
    // PostgreSQL rounds to the two decimal places of the column, SQLite does not.
    await schema.run(`
      UPDATE per_diem_rates SET
        full_day_rate = rate_per_day, half_day_rate = round(CAST(rate_per_day AS NUMERIC) * 0.5, 2)`);
  }
  if (schema.hasColumn('mileage', 'rate_per_km')) {
    await schema.run('UPDATE mileage SET rate_per_km = 0.30 WHERE rate_per_km IS NULL');
  }
  await schema.setDefault('mileage', 'rate_per_km', '0.30');
  await schema.setNotNull('mileage', 'rate_per_km');

  for (const column of ['rate_per_day', 'breakfast_deduction', 'lunch_deduction', 'dinner_deduction']) {
    await schema.dropColumn('per_diem_rates', column);
  }
};
