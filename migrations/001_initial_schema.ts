import type { Migration } from '../src/migration/migration.ts';

export const revision = '001';
export const parents: readonly string[] = [];

/** Creates the base: clients, users, projects, tasks, time entries, invoices and settings. */
export const up: Migration = async ({ context: schema }) => {
  await schema.createTable('clients', {
    id: 'SERIAL PRIMARY KEY',
    name: 'VARCHAR(200) NOT NULL',
    description: 'TEXT',
    contact_person: 'VARCHAR(200)',
    email: 'VARCHAR(200)',
    phone: 'VARCHAR(50)',
    address: 'TEXT',
    default_hourly_rate: 'NUMERIC(9,2)',
    status: "VARCHAR(20) NOT NULL DEFAULT 'active'",
    created_at: 'TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP',
    updated_at: 'TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP',
  });
  await schema.addIndex('clients', ['name'], { name: 'idx_clients_name', unique: true });

  await schema.createTable('projects', {
    id: 'SERIAL PRIMARY KEY',
    name: 'VARCHAR(200) NOT NULL',
    client_id: 'INTEGER REFERENCES clients(id) ON DELETE CASCADE',
    description: 'TEXT',
    billable: 'BOOLEAN NOT NULL DEFAULT TRUE',
    hourly_rate: 'NUMERIC(9,2)',
    billing_ref: 'VARCHAR(100)',
    status: "VARCHAR(20) NOT NULL DEFAULT 'active'",
    created_at: 'TIMESTAMP DEFAULT CURRENT_TIMESTAMP',
    updated_at: 'TIMESTAMP DEFAULT CURRENT_TIMESTAMP',
  });
  await schema.addIndex('projects', ['client_id'], { name: 'idx_projects_client_id' });
  await schema.addIndex('projects', ['status'], { name: 'idx_projects_status' });

  await schema.createTable('invoices', {
    id: 'SERIAL PRIMARY KEY',
    invoice_number: 'VARCHAR(50) NOT NULL',
    client_id: 'INTEGER NOT NULL REFERENCES clients(id) ON DELETE CASCADE',
    project_id: 'INTEGER REFERENCES projects(id) ON DELETE SET NULL',
    issue_date: 'DATE NOT NULL',
    due_date: 'DATE NOT NULL',
    status: "VARCHAR(20) NOT NULL DEFAULT 'draft'",
    subtotal: "NUMERIC(10,2) NOT NULL DEFAULT '0'",
    tax_rate: "NUMERIC(5,2) NOT NULL DEFAULT '0'",
    tax_amount: "NUMERIC(10,2) NOT NULL DEFAULT '0'",
    total: "NUMERIC(10,2) NOT NULL DEFAULT '0'",
    notes: 'TEXT',
    terms: 'TEXT',
    created_at: 'TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP',
    updated_at: 'TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP',
  });
  await schema.addIndex('invoices', ['client_id'], { name: 'idx_invoices_client_id' });
  await schema.addIndex('invoices', ['status'], { name: 'idx_invoices_status' });

  await schema.createTable('settings', {
    id: 'SERIAL PRIMARY KEY',
    company_name: 'VARCHAR(200)',
    company_address: 'TEXT',
    company_phone: 'VARCHAR(50)',
    company_email: 'VARCHAR(200)',
    company_website: 'VARCHAR(200)',
    currency: "VARCHAR(3) NOT NULL DEFAULT 'EUR'",
    timezone: "VARCHAR(50) NOT NULL DEFAULT 'Europe/Rome'",
    rounding_minutes: 'INTEGER NOT NULL DEFAULT 1',
    single_active_timer: 'BOOLEAN NOT NULL DEFAULT TRUE',
    idle_timeout_minutes: 'INTEGER NOT NULL DEFAULT 30',
    allow_self_register: 'BOOLEAN NOT NULL DEFAULT TRUE',
    allow_analytics: 'BOOLEAN NOT NULL DEFAULT TRUE',
    logo_path: 'VARCHAR(500)',
    created_at: 'TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP',
    updated_at: 'TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP',
  });

  await schema.createTable('users', {
    id: 'SERIAL PRIMARY KEY',
    username: 'VARCHAR(80) NOT NULL',
    role: "VARCHAR(20) NOT NULL DEFAULT 'user'",
    created_at: 'TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP',
    last_login: 'TIMESTAMP',
    is_active: 'BOOLEAN NOT NULL DEFAULT TRUE',
    updated_at: 'TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP',
  });
  await schema.addIndex('users', ['role'], { name: 'idx_users_role' });
  await schema.addIndex('users', ['username'], { name: 'idx_users_username', unique: true });

  await schema.createTable('tasks', {
    id: 'SERIAL PRIMARY KEY',
    project_id: 'INTEGER NOT NULL REFERENCES projects(id) ON DELETE CASCADE',
    name: 'VARCHAR(200) NOT NULL',
    description: 'TEXT',
    status: "VARCHAR(20) NOT NULL DEFAULT 'pending'",
    priority: "VARCHAR(20) NOT NULL DEFAULT 'medium'",
    assigned_to: 'INTEGER REFERENCES users(id) ON DELETE SET NULL',
    created_by: 'INTEGER NOT NULL REFERENCES users(id) ON DELETE CASCADE',
    due_date: 'DATE',
    estimated_hours: 'NUMERIC(5,2)',
    created_at: 'TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP',
    updated_at: 'TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP',
  });
  await schema.addIndex('tasks', ['priority'], { name: 'idx_tasks_priority' });
  await schema.addIndex('tasks', ['project_id'], { name: 'idx_tasks_project_id' });
  await schema.addIndex('tasks', ['status'], { name: 'idx_tasks_status' });

  await schema.createTable('time_entries', {
    id: 'SERIAL PRIMARY KEY',
    user_id: 'INTEGER NOT NULL REFERENCES users(id) ON DELETE CASCADE',
    project_id: 'INTEGER NOT NULL REFERENCES projects(id) ON DELETE CASCADE',
    task_id: 'INTEGER REFERENCES tasks(id) ON DELETE SET NULL',
    start_time: 'TIMESTAMP NOT NULL',
    end_time: 'TIMESTAMP',
    duration: 'INTERVAL',
    notes: 'TEXT',
    tags: 'VARCHAR(500)',
    billable: 'BOOLEAN NOT NULL DEFAULT TRUE',
    source: 'VARCHAR(50)',
    created_at: 'TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP',
    updated_at: 'TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP',
  });
  await schema.addIndex('time_entries', ['project_id'], { name: 'idx_time_entries_project_id' });
  await schema.addIndex('time_entries', ['start_time'], { name: 'idx_time_entries_start_time' });
  await schema.addIndex('time_entries', ['user_id'], { name: 'idx_time_entries_user_id' });

  await schema.createTable('invoice_items', {
    id: 'SERIAL PRIMARY KEY',
    invoice_id: 'INTEGER NOT NULL REFERENCES invoices(id) ON DELETE CASCADE',
    description: 'VARCHAR(500) NOT NULL',
    quantity: "NUMERIC(10,2) NOT NULL DEFAULT '1'",
    unit_price: "NUMERIC(9,2) NOT NULL DEFAULT '0'",
    total: "NUMERIC(10,2) NOT NULL DEFAULT '0'",
    time_entry_id: 'INTEGER REFERENCES time_entries(id) ON DELETE SET NULL',
    created_at: 'TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP',
  });
  await schema.addIndex('invoice_items', ['invoice_id'], { name: 'idx_invoice_items_invoice_id' });
};
