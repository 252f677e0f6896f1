/**
 * Checks a template against CloudFormation's resource database, as far as the database knows the rules: types of resources, names,
 * presence and types of properties, allowed values, and the targets of references. CloudFormation itself checks more.
 */
import { loadAwsServiceSpecSync } from '@aws-cdk/aws-service-spec';
import type { PropertyType, Resource, ResourceProperties, SpecDatabase } from '@aws-cdk/service-spec-types';

interface Entry {
  Type: string;
  Properties?: Record<string, unknown>;
  DependsOn?: string | string[];
}

/** The parts of a template that are checked. */
export interface CheckedTemplate {
  Resources: Record<string, Entry>;
  Parameters?: Record<string, unknown>;
  Outputs?: Record<string, unknown>;
}

/** Functions that return a text, and functions that return a list. The result of any other is not known. */
const RETURNS_TEXT = ['Fn::Base64', 'Fn::Join', 'Fn::Sub'];
const RETURNS_LIST = ['Fn::GetAZs', 'Fn::Split'];

export class TemplateChecker {
  /** Loading takes seconds: create one checker for all templates. */
  readonly #database: SpecDatabase = loadAwsServiceSpecSync();

  /** @returns one line for each problem: its path in the template, and the rule */
  problems(template: CheckedTemplate): string[] {
    const { Resources, Outputs = {} } = template;
    return Object.entries(Resources)
      .flatMap(([id, { Type, Properties = {}, DependsOn = [] }]) => {
        const resource = this.#resource(Type);
        if (!resource) return [`${id}: the type ${Type} is unknown`];
        return [
          ...this.#object(id, Properties, resource.properties, template),
          ...[DependsOn].flat().flatMap((target) => this.#reference(`${id}.DependsOn`, target, template)),
          ...this.#references(id, Properties, template),
        ];
      })
      .concat(this.#references('Outputs', Outputs, template));
  }

  #resource(type: string): Resource | undefined {
    return this.#database.lookup('resource', 'cloudFormationType', 'equals', type)[0];
  }

  #object(path: string, value: object, known: ResourceProperties, template: CheckedTemplate): string[] {
    const missing = Object.entries(known)
      .filter(([name, { required }]) => required && !(name in value))
      .map(([name]) => `${path}: the property ${name} is missing`);
    const present = Object.entries(value).flatMap(([name, inner]) => {
      const type = known[name]?.type;
      return type
        ? this.#value(`${path}.${name}`, inner, type, template)
        : [`${path}.${name}: the property is unknown`];
    });
    return [...missing, ...present];
  }

  #value(path: string, value: unknown, type: PropertyType, template: CheckedTemplate): string[] {
    const returned = this.#returned(value, template);
    const isText = ['string', 'date-time', 'number', 'integer', 'boolean'].includes(type.type);
    const wrong = [`${path}: ${JSON.stringify(value)} is not of the type ${type.type}`];
    switch (type.type) {
      case 'json':
        return [];
      case 'union': {
        const tried = type.types.map((one) => this.#value(path, value, one, template));
        return tried.find((problems) => problems.length === 0) ?? tried.flat();
      }
    }
    if (returned === 'unknown') return [];
    if (returned)
      return (returned === 'list') === (type.type === 'array') && (isText || returned === 'list') ? [] : wrong;
    switch (type.type) {
      case 'array':
        if (!Array.isArray(value)) return wrong;
        return value.flatMap((inner, index) => this.#value(`${path}.${index}`, inner, type.element, template));
      case 'map':
        if (!isObject(value)) return wrong;
        return Object.entries(value).flatMap(([name, inner]) =>
          this.#value(`${path}.${name}`, inner, type.element, template),
        );
      case 'tag':
        return isObject(value) && typeof value.Key === 'string' && 'Value' in value ? [] : wrong;
      case 'ref': {
        const { properties } = this.#database.get('typeDefinition', type.reference);
        return isObject(value) ? this.#object(path, value, properties, template) : wrong;
      }
      case 'string':
      case 'integer': {
        if (type.type === 'string' ? typeof value !== 'string' : !Number.isInteger(value)) return wrong;
        const allowed: readonly unknown[] | undefined = type.allowedValues;
        return !allowed || allowed.includes(value) ? [] : [`${path}: ${value} is none of ${allowed.join(', ')}`];
      }
      case 'date-time':
        return typeof value === 'string' ? [] : wrong;
      case 'null':
        return value === null ? [] : wrong;
      default:
        return typeof value === type.type ? [] : wrong;
    }
  }

  /** What a reference or a function returns; undefined for a plain value. */
  #returned(value: unknown, { Resources }: CheckedTemplate): 'text' | 'list' | 'unknown' | undefined {
    if (!isObject(value)) return undefined;
    const [[name = '', argument] = []] = Object.entries(value);
    // A Ref returns a text of every resource. The type of a parameter is not looked up.
    if (name === 'Ref') return typeof argument === 'string' && argument in Resources ? 'text' : 'unknown';
    if (RETURNS_TEXT.includes(name)) return 'text';
    if (RETURNS_LIST.includes(name)) return 'list';
    if (name !== 'Fn::GetAtt') return name.startsWith('Fn::') ? 'unknown' : undefined;
    const [id, attribute] = argument as [string, string];
    const type = this.#resource(Resources[id]?.Type ?? '')?.attributes[attribute]?.type;
    if (!type) return 'unknown';
    return type.type === 'array' ? 'list' : 'text';
  }

  /** The references anywhere in a value, those in policies and other free JSON too. */
  #references(path: string, value: unknown, template: CheckedTemplate): string[] {
    if (!isObject(value) && !Array.isArray(value)) return [];
    const { Ref, 'Fn::GetAtt': attribute, 'Fn::Sub': text } = value as Record<string, unknown>;
    if (typeof Ref === 'string') return this.#reference(path, Ref, template);
    if (Array.isArray(attribute)) return this.#reference(path, attribute[0], template, attribute[1]);
    if (typeof text === 'string') {
      return [...text.matchAll(/\$\{([\w:]+)(?:\.([\w.]+))?\}/g)].flatMap(([, id = '', of]) =>
        this.#reference(path, id, template, of),
      );
    }
    return Object.entries(value).flatMap(([name, inner]) => this.#references(`${path}.${name}`, inner, template));
  }

  #reference(path: string, id: string, { Resources, Parameters = {} }: CheckedTemplate, attribute?: string): string[] {
    const target = Resources[id];
    if (!target) {
      const isKnown = attribute === undefined && (id in Parameters || id.startsWith('AWS::'));
      return isKnown ? [] : [`${path}: no resource is named ${id}`];
    }
    if (attribute === undefined || attribute in (this.#resource(target.Type)?.attributes ?? {})) return [];
    return [`${path}: ${target.Type} has no attribute ${attribute}`];
  }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
