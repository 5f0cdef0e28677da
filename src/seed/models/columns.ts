import { DataTypes, type DataType, type ModelAttributeColumnOptions } from 'sequelize';

/** A column of a table, with the type of its cells when a row is written. */
export interface Column<Cell> extends ModelAttributeColumnOptions {
  /** Only for the compiler: the type of the cells. It has no value at run time. */
  readonly cell?: Cell;
}

export type Columns = Readonly<Record<string, Column<unknown>>>;

/** A row with all its cells. */
export type RowOf<Of extends Columns> = { [Name in keyof Of]: Of[Name] extends Column<infer Cell> ? Cell : never };

/** The columns that a new row may leave out: the numbered key, and columns that allow NULL. */
type LeftOut<Of extends Columns> = {
  [Name in keyof Of]: Of[Name] extends { readonly autoIncrement: true }
    ? Name
    : null extends RowOf<Of>[Name]
      ? Name
      : never;
}[keyof Of];

/** A row to insert. */
export type NewRowOf<Of extends Columns> = Readonly<
  Omit<RowOf<Of>, LeftOut<Of>> & Partial<Pick<RowOf<Of>, LeftOut<Of>>>
>;

const column = <Cell>(type: DataType): Column<Cell> => ({ type, allowNull: false });

/** The primary key, which the database numbers. */
export const key = () => ({ ...column<number>(DataTypes.INTEGER), primaryKey: true, autoIncrement: true }) as const;
export const integer = (): Column<number> => column(DataTypes.INTEGER);
export const float = (): Column<number> => column(DataTypes.FLOAT);
/** A number with a fixed number of decimals; PostgreSQL returns it as text. */
export const amount = (digits: number, decimals: number): Column<number> => column(DataTypes.DECIMAL(digits, decimals));
/** A truth value; SQLite returns 0 or 1. */
export const flag = (): Column<boolean> => column(DataTypes.BOOLEAN);
export const text = (): Column<string> => column(DataTypes.TEXT);
/** Text of a limited length. */
export const words = (length: number): Column<string> => column(DataTypes.STRING(length));
/** A date: `2025-03-04`. */
export const day = (): Column<string> => column(DataTypes.DATEONLY);
/**
 * A timestamp: `2025-03-04 09:15:00.000000`. Sequelize's own type would add a time zone, which the application's
 * columns do not have and which the application could not read on SQLite.
 */
export const moment = (): Column<string> => column('TIMESTAMP');

/** A column that also allows NULL. */
export const optional = <Cell>(given: Column<Cell>): Column<Cell | null> => ({ ...given, allowNull: true });
