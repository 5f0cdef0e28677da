// A lint rule of this project: sentences for people belong in src/report/, where they can be read together.

/** Functions that pass a text on to a person. */
const functions = new Set(['consent', 'requireConsent']);

const receivers = {
  log: new Set(['info', 'warn', 'error']),
  output: new Set(['result', 'file', 'notice']),
  findings: new Set(['fault', 'hint']),
};

/** The names of the object and of the called method: `context.log.info` gives `log` and `info`. */
function calleeOf({ callee }) {
  if (callee.type === 'Identifier') return { on: null, name: callee.name };
  if (callee.type !== 'MemberExpression' || callee.property.type !== 'Identifier') return null;
  const { object } = callee;
  const on = object.type === 'MemberExpression' ? object.property : object;
  return { on: on.type === 'Identifier' ? on.name : null, name: callee.property.name };
}

function isPrinted(call) {
  const callee = calleeOf(call);
  if (callee === null) return false;
  return (callee.on !== null && receivers[callee.on]?.has(callee.name) === true) || functions.has(callee.name);
}

/** Whether a text contains words. The name of a variable does not count. */
const hasWords = (text) => /\p{L}{2}/u.test(text) && !/^[A-Z_]+$/.test(text);

/** The part of an expression that is a text with words; null if there is none. */
function wordsIn(node) {
  switch (node.type) {
    case 'Literal':
      return typeof node.value === 'string' && hasWords(node.value) ? node : null;
    case 'TemplateLiteral':
      return node.quasis.some(({ value }) => hasWords(value.raw)) ? node : firstOf(node.expressions);
    case 'ConditionalExpression':
      return firstOf([node.consequent, node.alternate]);
    case 'LogicalExpression':
    case 'BinaryExpression':
      return node.operator === '+' || node.type === 'LogicalExpression' ? firstOf([node.left, node.right]) : null;
    default:
      return null;
  }
}

function firstOf(nodes) {
  for (const node of nodes) {
    const found = wordsIn(node);
    if (found !== null) return found;
  }
  return null;
}

const propertyOf = ({ properties }, name) =>
  properties.find(({ type, key }) => type === 'Property' && key.type === 'Identifier' && key.name === name)?.value;

const sentencesInReport = {
  create(context) {
    const check = (node) => {
      const found = node === undefined ? null : wordsIn(node);
      if (found !== null) context.report({ node: found, message: 'A person reads this: it belongs in src/report/.' });
    };
    return {
      CallExpression(call) {
        if (isPrinted(call)) call.arguments.forEach(check);
      },
      ObjectExpression(object) {
        if (propertyOf(object, 'kind')?.value === 'usage') check(propertyOf(object, 'message'));
        check(propertyOf(object, 'summary'));
      },
    };
  },
};

/** Two words in small letters beside each other: SQL has its keywords in capitals between the names. */
const isProse = (text) => /(?<![\w.'"$-])\p{Ll}+ \p{Ll}{2,}(?![\w.'"(])/u.test(text) && !sqlNames.has(text);

/** Types of columns and kinds of relations. */
const sqlNames = new Set(['double precision', 'partitioned table', 'materialized view', 'foreign table']);

/** Whether a text is the message of an error of programming, which no person is meant to read, or a directive. */
function isForNobody(node) {
  const { parent } = node;
  return (
    (parent.type === 'NewExpression' && /^(?:Range|Type)?Error$/.test(parent.callee.name)) ||
    parent.type === 'ExpressionStatement'
  );
}

/**
 * A stricter rule, for folders whose errors carry only data: every text of words is an error, wherever it goes.
 */
const noProse = {
  create(context) {
    const check = (node, text) => {
      if (!isProse(text) || isForNobody(node)) return;
      context.report({ node, message: 'These words belong in src/report/: an error carries a kind and values.' });
    };
    return {
      Literal(node) {
        if (typeof node.value === 'string') check(node, node.value);
      },
      TemplateLiteral(node) {
        check(node, node.quasis.map(({ value }) => value.cooked ?? '').join('?'));
      },
    };
  },
};

export default {
  meta: { name: 'db-init' },
  rules: { 'sentences-in-report': sentencesInReport, 'no-prose': noProse },
};
