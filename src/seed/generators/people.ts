import { personName } from '../texts.ts';
import type { NewRow } from '../models/models.ts';
import { numbersTo, type SeedContext, stamps } from './seed-context.ts';

/** The people of the development data, without their passwords. */
export function userRows(count: number, context: SeedContext): readonly NewRow<'users'>[] {
  return numbersTo(count).map((number) => userRow(`devuser${number}`, personName(number - 1), 'user', context));
}

/** The administrator of a database without users. */
export const administratorRow = (username: string, context: SeedContext): NewRow<'users'> =>
  userRow(username, null, 'admin', context);

function userRow(username: string, fullName: string | null, role: string, context: SeedContext): NewRow<'users'> {
  return {
    username,
    full_name: fullName,
    role,
    is_active: true,
    auth_provider: 'local',
    password_change_required: false,
    two_factor_enabled: false,
    // NULL means the format of the settings; the defaults of the database would override it
    date_format: null,
    time_format: null,
    email_notifications: true,
    notification_overdue_invoices: true,
    notification_task_assigned: true,
    notification_task_comments: true,
    notification_weekly_summary: false,
    smart_notify_break_reminder: false,
    smart_notify_break_interval_minutes: 60,
    smart_notify_end_of_day: false,
    ...stamps(context),
  };
}
