import { at } from './random.ts';

/** All invented texts: a small consultancy, its people and its clients. */

const firstNames = `Mina Tomasz Zoë Rafael Ingrid Émile Aylin Jonas Chiara Søren Noor Matteo Eszter Liam Ximena Håkon
  Priya Łukasz Hanna Diego Saoirse Kenji Vera Bruno Yara`.split(/\s+/);

const lastNames = `Okafor|Lindqvist|Peeters|Kowalczyk|Moreau|Fernández|Brandt|Yılmaz|De Smet|Novák|Rossi|Haddad|Keane|
  Strand|Castillo|Nakamura|Weiß|Jansen|Petrov|Silva|Dubois|Horváth|Iyer|Claes|Ferrari`.split(/\|\s*/);

const firms = `Brightwater|Nordhavn|Larkspur|Vallée Verte|Alderbrook|Kestrel|Mühlbach|Saltmarsh|Orchard Row|Piñon|
  Half Moon|Granite Bay|Ravello|Wintergreen|Juniper & Rye|Åkerlund|Blue Heron|Tideline|Fernhill|Zlatá Lípa|Ostend Pier|
  Redwick|Quillon|Cinderpath|Sunday Market`.split(/\|\s*/);

const trades = `Bakeries|Logistics|Optics|Clinics|Ceramics|Brewing|Energy|Publishing|Furniture|Textiles|Travel|Robotics|
  Foods|Architects|Insurance|Seeds|Instruments|Marine|Games|Pharma`.split(/\|\s*/);

const streets = ['Canal Street', 'Rue des Tilleuls', 'Lindenallee', 'Harbour Road', 'Calle Mayor', 'Vesterbrogade'];
const towns = ['Ghent', 'Liège', 'Köln', 'Rotterdam', 'Málaga', 'København'];

const projectKinds = `Customer portal|Data migration|Mobile app|Reporting|Onboarding|Shop relaunch|Warehouse scanner|
  Support desk|Annual audit|Intranet|Booking engine|Payment service|Brand site|Field survey|Training programme|Search|
  Device fleet|Newsletter|Accessibility review|Cloud move`.split(/\|\s*/);

const taskKinds = `Kick-off with the client|Sketch the first screens|Agree on the data model|Set up the pipeline|
  Write the import|Build the sign-in|Draw up test cases|Fix what the testers found|Measure the load times|
  Review the texts|Prepare the demo|Collect feedback|Tidy up the backlog|Translate the interface|Write the handbook|
  Plan the release|Train the first users|Watch the first week|Clear out old code|Draft the next quarter`.split(/\|\s*/);

export const entryNotes = `Worked through the open points|Call with the client|Paired on the tricky part|
  Wrote it down for the others|Chased a rounding error|Cleaned up after the review|Tried two ways, kept the second|
  Answered questions from support|Prepared tomorrow’s demo|Checked the numbers against last month|
  Made the slow page fast|Drew it on the whiteboard first|Read up on the interface|Merged, and watched it run|
  Sorted the backlog by what hurts|Tested on an old phone`.split(/\|\s*/);

export const entryTags = `backend|frontend,design|meeting|review|bugfix|feature|documentation|testing|planning|
  support,urgent`.split(/\|\s*/);

export const remarks = `The client agreed to the smaller scope.|Please look at the second screen again.|
  Blocked until the test data arrive.|Looks good to me – merge it.|Numbers match those of last quarter now ✓|
  Moved the details into the handbook.|Who can take this over on Thursday?|Waiting for access since Monday…|
  Same cause as the report from Köln.|Done, and shown to the client.`.split(/\|\s*/);

/** Name, code, colour and titles; they include the four categories that revision 037 creates. */
export const categories = [
  { name: 'Travel', code: 'travel', color: '#2f6fde', titles: ['Train to the client', 'Taxi from the station'] },
  { name: 'Meals', code: 'meals', color: '#3aa655', titles: ['Lunch with the client', 'Dinner on the road'] },
  { name: 'Accommodation', code: 'accommodation', color: '#7a58c1', titles: ['Two nights at the Hôtel du Parc'] },
  { name: 'Supplies', code: 'supplies', color: '#d98a1f', titles: ['Flip chart paper', 'Labels and pens'] },
  { name: 'Software', code: 'software', color: '#1799b0', titles: ['Licence for a drawing program', 'Domain name'] },
  { name: 'Equipment', code: 'equipment', color: '#d04f7c', titles: ['Second-hand test phone', 'Adapter'] },
  { name: 'Other', code: 'other', color: '#77808c', titles: ['Flowers for the reception', 'Parking'] },
] as const;

export const warehouses = [
  'Harbour depot',
  'Mill Lane store',
  'Office cupboard',
  'Köln branch',
  'Service van',
  'Annex',
];

/** Name, category, cost and price of one piece. */
export const articles = [
  ['Field laptop 14"', 'Computers', 840, 1090],
  ['Desktop screen 27"', 'Computers', 210, 289],
  ['Quiet keyboard', 'Accessories', 42, 65],
  ['Vertical mouse', 'Accessories', 31, 49],
  ['Display cable 3 m', 'Cables', 7.5, 13.9],
  ['Height-adjustable desk', 'Furniture', 365, 520],
  ['Swivel chair', 'Furniture', 240, 345],
  ['Grid paper, 10 pads', 'Office', 9.2, 15],
  ['Whiteboard markers, 8 colours', 'Office', 6.4, 11.5],
  ['Conference headset', 'Audio and video', 71, 105],
  ['Meeting room camera', 'Audio and video', 96, 139],
  ['Docking station', 'Accessories', 118, 165],
  ['Encrypted USB stick 64 GB', 'Storage', 24, 39],
  ['Barcode scanner', 'Field work', 130, 189],
  ['Rucksack for laptops', 'Field work', 38, 59],
] as const;

/** Name, and rate in percent, of the Belgian tax rules. */
export const taxRules = [
  ['Standard rate 21 %', 21],
  ['Reduced rate 6 %', 6],
  ['Intermediate rate 12 %', 12],
  ['Zero rate', 0],
] as const;

export const services = ['Concept', 'Design', 'Development', 'Testing', 'Workshop', 'Support'];

/** The number of different names. */
export const most = { people: firstNames.length * lastNames.length, clients: firms.length * trades.length };

/** The invented name with this index; for tasks, projects and warehouses, names repeat with a number. */
export const personName = (index: number): string => combined(index, firstNames, lastNames);
export const clientName = (index: number): string => combined(index, firms, trades);
export const projectName = (index: number): string => numbered(index, projectKinds);
export const taskName = (index: number): string => numbered(index, taskKinds);
export const warehouseName = (index: number): string => numbered(index, warehouses);

/** An invented address. */
export const address = (index: number): string =>
  `${at(streets, index)} ${(index % 90) + 1}, ${at(towns, Math.floor(index / streets.length) + index)}`;

/** Combines two lists of words; names repeat only after all combinations are used. */
function combined(index: number, firsts: readonly string[], seconds: readonly string[]): string {
  return `${at(firsts, index)} ${at(seconds, (index % firsts.length) + Math.floor(index / firsts.length))}`;
}

/** A name from the list; when the list starts again, the name gets a number: `Intranet 2`. */
export function numbered(index: number, names: readonly string[]): string {
  const round = Math.floor(index / names.length) + 1;
  return round === 1 ? at(names, index) : `${at(names, index)} ${round}`;
}
