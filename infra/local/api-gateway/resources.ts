import * as z from 'zod';
import { number, type ResourceTypes, resourceType, unused } from '../cloudformation/resource-type.ts';

const text = z.string();
const RouteSettings = z.object({
  ThrottlingBurstLimit: number.optional(),
  ThrottlingRateLimit: number.optional(),
});

export const apiGatewayTypes: ResourceTypes = {
  'AWS::ApiGatewayV2::Api': resourceType(
    z.strictObject({
      Name: text,
      ProtocolType: z.literal('HTTP'),
      Description: text.optional(),
      CorsConfiguration: unused,
      DisableExecuteApiEndpoint: z.boolean().optional(),
      Tags: unused,
    }),
    (id, _, { publicUrl }) => ({ ref: id, attributes: { ApiEndpoint: publicUrl, ApiId: id } }),
  ),
  'AWS::ApiGatewayV2::Stage': resourceType(
    z.strictObject({
      ApiId: text,
      StageName: z.literal('$default'),
      AutoDeploy: z.boolean(),
      AccessLogSettings: unused,
      DefaultRouteSettings: RouteSettings.default({}),
      RouteSettings: z.record(text, RouteSettings).default({}),
      Tags: unused,
    }),
    (_, { StageName, DefaultRouteSettings, RouteSettings: byRoute }, { throttles, routes }) => {
      for (const [key, settings] of Object.entries({ ...byRoute, $default: DefaultRouteSettings })) {
        // API Gateway refuses to deploy settings of a route that does not exist yet.
        if (key !== '$default' && !routes.some((route) => route.key === key))
          throw new Error(`Unable to find Route by key ${key} within the provided RouteSettings`);
        const { ThrottlingRateLimit: rate, ThrottlingBurstLimit: burst = rate } = settings;
        if (rate !== undefined && burst !== undefined) throttles.set(key, { rate, burst });
      }
      return { ref: StageName };
    },
  ),
  'AWS::ApiGatewayV2::Integration': resourceType(
    z.strictObject({
      ApiId: text,
      IntegrationType: z.literal('AWS_PROXY'),
      IntegrationUri: text,
      PayloadFormatVersion: z.literal('2.0'),
      TimeoutInMillis: number.optional(),
    }),
    (id, { IntegrationUri: functionArn, TimeoutInMillis: timeoutMs }, { integrations }) => {
      integrations.set(id, { functionArn, timeoutMs });
      return { ref: id };
    },
  ),
  'AWS::ApiGatewayV2::Route': resourceType(
    z.strictObject({
      ApiId: text,
      RouteKey: text,
      Target: text,
      AuthorizationType: z.literal('NONE').optional(),
    }),
    (id, { ApiId, RouteKey, Target }, { integrations, routes }) => {
      const integration = integrations.get(Target.replace('integrations/', ''));
      if (integration === undefined) throw new Error(`${id}: the template has no integration ${Target}.`);
      routes.push({ api: ApiId, key: RouteKey, ...integration });
      return { ref: id };
    },
  ),
};
