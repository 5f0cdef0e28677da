import { type Day, type Minute, minuteOf } from '../calendar.ts';
import { at, type RandomFor } from '../random.ts';

/** The time of a time entry. */
export interface Interval {
  readonly from: Minute;
  /** The end, exclusive. */
  readonly to: Minute;
}

/** The time and the person of a new time entry. */
export interface Placement extends Interval {
  readonly number: number;
  /** The index in the list of people. */
  readonly person: number;
}

/** The unit of the schedule, in minutes. */
const quarter = 15;
const lengths = [15, 30, 45, 60, 90, 120] as const;
/** Morning and afternoon, in minutes since midnight. No entry overlaps the lunch break between them. */
const halves = [
  { from: 8 * 60, to: 12 * 60 },
  { from: 13 * 60, to: 18 * 60 },
] as const;
/** The longest planned time per day in minutes, including entries that are in the database already. */
const longestDay = 8 * 60;

/** The quarters of an hour of one person and day, from midnight: 0 is free, 1 is occupied. */
type Board = Uint8Array;

/** The days of one person, by their index in the list of days. */
interface Boards {
  readonly count: number;
  on(place: number): Board;
}

/**
 * Finds a free time in a working day of a person for each numbered entry. If the days of a person are full, another
 * person gets the entry. If the free time is too short, the entry becomes shorter.
 * @param taken the entries of each person that are in the database already
 * @returns null if the days of all people are full
 */
export function schedule(
  numbers: readonly number[],
  days: readonly Day[],
  taken: readonly (readonly Interval[])[],
  random: RandomFor,
): readonly Placement[] | null {
  const boards = taken.map((intervals) => boardsOf(days, intervals));
  const full = new Set<number>();
  const placements: Placement[] = [];
  for (const number of numbers) {
    const preferred = (number - 1) % taken.length;
    const wanted = at(lengths, Math.floor((number - 1) / taken.length) + preferred);
    const firstDay = random('time entry', number).whole(0, days.length - 1);
    const found = findPlace(boards, full, preferred, wanted, firstDay);
    if (found === null) return null;
    const from = minuteOf(at(days, found.day), found.start);
    placements.push({ number, person: found.person, from, to: from + found.length });
  }
  return placements;
}

interface Place {
  readonly person: number;
  readonly day: number;
  /** Minutes. */
  readonly start: number;
  readonly length: number;
}

function findPlace(
  boards: readonly Boards[],
  full: Set<number>,
  preferred: number,
  wanted: number,
  firstDay: number,
): Place | null {
  for (let step = 0; step < boards.length; step++) {
    const person = (preferred + step) % boards.length;
    if (full.has(person)) continue;
    for (const length of lengths.toReversed().filter((each) => each <= wanted)) {
      const place = placeOn(at(boards, person), length, firstDay);
      if (place !== null) return { person, length, ...place };
    }
    full.add(person);
  }
  return null;
}

/** Reserves the first free time from a day on; after the last day it continues with the first. */
function placeOn(boards: Boards, length: number, firstDay: number): { day: number; start: number } | null {
  for (let step = 0; step < boards.count; step++) {
    const day = (firstDay + step) % boards.count;
    const board = boards.on(day);
    const start = freeStretch(board, length);
    if (start === null) continue;
    board.fill(1, start / quarter, (start + length) / quarter);
    return { day, start };
  }
  return null;
}

function freeStretch(board: Board, length: number): number | null {
  const busy = board.reduce((sum, each) => sum + each, 0) * quarter;
  if (busy + length > longestDay) return null;
  for (const { from, to } of halves) {
    for (let start = from; start + length <= to; start += quarter) {
      if (!board.subarray(start / quarter, (start + length) / quarter).includes(1)) return start;
    }
  }
  return null;
}

/** Creates boards on demand, because with many people and years most of them are never used. */
function boardsOf(days: readonly Day[], intervals: readonly Interval[]): Boards {
  const boards = new Map<number, Board>();
  const byDay = new Map<Day, Interval[]>();
  for (const interval of intervals) {
    for (let day = dayOf(interval.from); day <= dayOf(interval.to - 1); day++) {
      byDay.set(day, [...(byDay.get(day) ?? []), interval]);
    }
  }
  return {
    count: days.length,
    on(place) {
      const day = at(days, place);
      const board = boards.get(place) ?? boardOf(day, byDay.get(day) ?? []);
      boards.set(place, board);
      return board;
    },
  };
}

const dayOf = (minute: Minute): Day => Math.floor(minute / (24 * 60));

function boardOf(day: Day, intervals: readonly Interval[]): Board {
  const board = new Uint8Array((24 * 60) / quarter);
  const midnight = minuteOf(day, 0);
  for (const { from, to } of intervals) {
    const first = Math.max(Math.floor((from - midnight) / quarter), 0);
    const end = Math.min(Math.ceil((to - midnight) / quarter), board.length);
    if (end > first) board.fill(1, first, end);
  }
  return board;
}
