import { z } from 'zod';
import { accessByMethod, scopesOf } from '../../base/access.ts';
import { ERRORS } from '../../base/errors.ts';
import type { AnyRoute } from '../../base/route.ts';

type Json = Readonly<Record<string, unknown>>;

/** The OpenAPI 3.1 description of the native API, made from the same descriptors that serve it. */
export function openApi(routes: readonly AnyRoute[], version: string): Json {
  const paths: Record<string, Record<string, Json>> = {};
  for (const route of routes) {
    const path = route.path.replaceAll(/:([a-zA-Z]+)/g, '{$1}');
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operation(route) };
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Millwright', version, license: { name: 'Apache-2.0' } },
    paths,
    components: {
      schemas: { Error: errorSchema() },
      securitySchemes: {
        token: {
          type: 'http',
          scheme: 'bearer',
          description:
            'Asked for once a token exists; Basic with the token as password does as well.',
        },
      },
    },
  };
}

function operation(route: AnyRoute): Json {
  const success = String(route.status ?? 200);
  return {
    operationId: route.id,
    summary: route.summary,
    security: scopesOf(route.access ?? accessByMethod(route.method)).map((scope) => ({
      token: [scope],
    })),
    parameters: [...parameters(route.params, 'path'), ...parameters(route.query, 'query')],
    ...requestBody(route),
    responses: {
      [success]: {
        description: 'Success',
        content: { 'application/json': { schema: jsonSchema(route.reply, 'output') } },
      },
      default: {
        description: 'Failure',
        content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } },
      },
    },
  };
}

function requestBody(route: AnyRoute): Json {
  if (route.bodyType === 'stream') {
    return { requestBody: { required: true, content: { 'application/octet-stream': {} } } };
  }
  if (route.body === undefined) return {};
  const schema = jsonSchema(route.body, 'input');
  return { requestBody: { required: true, content: { 'application/json': { schema } } } };
}

function parameters(schema: AnyRoute['params'], where: 'path' | 'query'): readonly Json[] {
  if (schema === undefined) return [];
  const { properties = {}, required = [] } = jsonSchema(schema, 'input') as {
    properties?: Record<string, Json>;
    required?: readonly string[];
  };
  return Object.entries(properties).map(([name, property]) => ({
    name,
    in: where,
    required: where === 'path' || required.includes(name),
    schema: property,
  }));
}

function jsonSchema(schema: z.ZodType, io: 'input' | 'output'): Json {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' });
  return rest;
}

function errorSchema(): Json {
  return {
    type: 'object',
    required: ['error'],
    properties: {
      error: {
        type: 'object',
        required: ['code', 'message'],
        properties: {
          code: { type: 'string', enum: Object.keys(ERRORS) },
          message: { type: 'string' },
          hint: { type: 'string' },
          details: { type: 'object' },
        },
      },
    },
  };
}
