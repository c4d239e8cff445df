import type { Template } from './assembly.ts';

/** The values of a created resource for `Ref` and `Fn::GetAtt`. */
export interface Created {
  readonly ref: string;
  readonly attributes?: Readonly<Record<string, string>>;
}

export interface Pseudo {
  readonly region: string;
  readonly account: string;
  readonly stackName: string;
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Evaluates CloudFormation's intrinsic functions against the resources created so far. */
export class Resolver {
  readonly #template: Template;
  readonly #created: ReadonlyMap<string, Created>;
  readonly #pseudo: Readonly<Record<string, unknown>>;

  constructor(template: Template, created: ReadonlyMap<string, Created>, pseudo: Pseudo) {
    this.#template = template;
    this.#created = created;
    this.#pseudo = {
      'AWS::Region': pseudo.region,
      'AWS::AccountId': pseudo.account,
      'AWS::Partition': 'aws',
      'AWS::URLSuffix': 'amazonaws.com',
      'AWS::StackName': pseudo.stackName,
      'AWS::StackId': `arn:aws:cloudformation:${pseudo.region}:${pseudo.account}:stack/${pseudo.stackName}/local`,
      'AWS::NoValue': undefined,
    };
  }

  resolve(value: unknown): unknown {
    if (Array.isArray(value)) return value.map((one) => this.resolve(one)).filter((one) => one !== undefined);
    if (!isRecord(value)) return value;
    const entries = Object.entries(value);
    const [entry] = entries;
    if (entry && entries.length === 1 && (entry[0] === 'Ref' || entry[0].startsWith('Fn::')))
      return this.#call(entry[0], entry[1]);
    return Object.fromEntries(
      entries.map(([name, inner]) => [name, this.resolve(inner)]).filter(([, inner]) => inner !== undefined),
    );
  }

  #call(name: string, operand: unknown): unknown {
    if (name === 'Ref') return this.#ref(String(operand));
    if (name === 'Fn::GetAtt') {
      const [id = '', attribute = ''] = Array.isArray(operand)
        ? operand.map(String)
        : String(operand).split('.');
      return this.#attribute(id, attribute);
    }
    if (name === 'Fn::Sub') return this.#substitute(operand);
    const args = this.resolve(operand);
    const list: unknown[] = Array.isArray(args) ? args : [args];
    if (name === 'Fn::Join' && Array.isArray(list[1])) return list[1].map(String).join(String(list[0]));
    if (name === 'Fn::Split') return String(list[1]).split(String(list[0]));
    if (name === 'Fn::Select' && Array.isArray(list[1])) return list[1][Number(list[0])];
    if (name === 'Fn::If' && Array.isArray(operand))
      return this.resolve(this.#condition(String(operand[0])) ? operand[1] : operand[2]);
    throw new Error(`The template uses ${name}, which the local runtime does not support.`);
  }

  #ref(id: string): unknown {
    if (id in this.#pseudo) return this.#pseudo[id];
    const parameter = this.#template.Parameters[id];
    if (parameter) return parameter.Default;
    return this.#find(id).ref;
  }

  #attribute(id: string, attribute: string): string {
    const value = this.#find(id).attributes?.[attribute];
    if (value === undefined)
      throw new Error(
        `The template reads the attribute ${attribute} of ${id} (${this.#template.Resources[id]?.Type}), which the local runtime does not support.`,
      );
    return value;
  }

  #find(id: string): Created {
    const created = this.#created.get(id);
    if (created === undefined)
      throw new Error(`The template refers to ${id}, which does not exist or is not created yet.`);
    return created;
  }

  #substitute(operand: unknown): string {
    const [template, values] = Array.isArray(operand) ? operand : [operand, {}];
    return String(template).replace(/\$\{([^}]+)\}/gu, (_, name: string) => {
      if (name.startsWith('!')) return `\${${name.slice(1)}}`;
      if (isRecord(values) && name in values) return String(this.resolve(values[name]));
      const [id = '', attribute] = name.split('.');
      return String(attribute === undefined ? this.#ref(id) : this.#attribute(id, attribute));
    });
  }

  #condition(name: string): boolean {
    const evaluate = (value: unknown): boolean => {
      if (!isRecord(value)) return value === true || value === 'true';
      const [[operator = '', operand] = []] = Object.entries(value);
      const list: unknown[] = Array.isArray(operand) ? operand : [operand];
      if (operator === 'Fn::Equals')
        return JSON.stringify(this.resolve(list[0])) === JSON.stringify(this.resolve(list[1]));
      if (operator === 'Fn::Not') return !evaluate(list[0]);
      if (operator === 'Fn::And') return list.every(evaluate);
      if (operator === 'Fn::Or') return list.some(evaluate);
      if (operator === 'Condition') return this.#condition(String(operand));
      throw new Error(`The condition ${name} uses ${operator}, which the local runtime does not support.`);
    };
    return evaluate(this.#template.Conditions[name]);
  }
}

/** The logical ids in an order in which each follows the resources that it refers to. */
export const creationOrder = (template: Template): string[] => {
  const ids = Object.keys(template.Resources);
  const done = new Set<string>();
  const order: string[] = [];
  const visit = (id: string, trail: readonly string[]): void => {
    if (done.has(id)) return;
    if (trail.includes(id))
      throw new Error(`The template's resources have circular dependencies: ${[...trail, id].join(' → ')}`);
    for (const other of references(template, id)) if (template.Resources[other]) visit(other, [...trail, id]);
    done.add(id);
    order.push(id);
  };
  for (const id of ids) visit(id, []);
  return order;
};

const references = (template: Template, id: string): Set<string> => {
  const resource = template.Resources[id];
  const found = new Set<string>([resource?.DependsOn ?? []].flat());
  const walk = (value: unknown): void => {
    if (Array.isArray(value)) value.forEach(walk);
    else if (isRecord(value)) {
      if (typeof value['Ref'] === 'string') found.add(value['Ref']);
      const attribute = value['Fn::GetAtt'];
      if (Array.isArray(attribute)) found.add(String(attribute[0]));
      const sub = value['Fn::Sub'];
      const text = typeof sub === 'string' ? sub : Array.isArray(sub) ? String(sub[0]) : '';
      for (const [, name = ''] of text.matchAll(/\$\{([^}!.]+)[^}]*\}/gu)) found.add(name);
      Object.values(value).forEach(walk);
    }
  };
  walk(resource?.Properties);
  return found;
};
