import {
  aws_apigatewayv2 as apigateway,
  aws_lambda as lambda,
  aws_logs as logs,
  RemovalPolicy,
  Stack,
} from 'aws-cdk-lib';
import { Construct } from 'constructs';
import type { HubConfig } from '../../../core/config/hub-config.ts';
import type { HubFunction } from '../resources/hub-function.ts';

/**
 * Requests a second, and the size of a burst. What is above is answered 429 by API Gateway, which charges nothing for it;
 * providers deliver it again.
 */
interface Throttle {
  readonly rate: number;
  readonly burst: number;
}

/** Five times what the hub takes from all providers together over a longer time. */
const webhooks: Throttle = { rate: 1000, burst: 2000 };

/** The HTTP API in front of the webhooks and the API. */
export class FrontDoor extends Construct {
  readonly api: apigateway.HttpApi;
  readonly accessLog: logs.LogGroup;
  /** The base of every public address; providers include it in their signatures. */
  readonly publicUrl: string;
  readonly #stage: apigateway.CfnStage;

  constructor(scope: Construct, id: string, hub: HubConfig) {
    super(scope, id);
    this.api = new apigateway.HttpApi(this, 'Api', {
      apiName: `tributary-${hub.name}`,
      createDefaultStage: false,
      // An own address can be protected; the one that AWS gives would lead past that.
      disableExecuteApiEndpoint: hub.publicUrl !== undefined,
    });
    this.publicUrl = hub.publicUrl ?? this.api.apiEndpoint;
    this.accessLog = new logs.LogGroup(this, 'AccessLog', {
      // It holds source addresses, which are needed during an attack and shortly after it.
      retention: logs.RetentionDays.ONE_WEEK,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    this.#stage = new apigateway.CfnStage(this, 'Stage', {
      apiId: this.api.apiId,
      stageName: '$default',
      autoDeploy: true,
      defaultRouteSettings: { throttlingRateLimit: webhooks.rate, throttlingBurstLimit: webhooks.burst },
      // Logs the route key and never the path, which may hold an identifier or a token.
      accessLogSettings: {
        destinationArn: this.accessLog.logGroupArn,
        format: JSON.stringify({
          time: '$context.requestTime',
          requestId: '$context.requestId',
          route: '$context.routeKey',
          status: '$context.status',
          source: '$context.identity.sourceIp',
          latencyMs: '$context.responseLatency',
          integrationMs: '$context.integrationLatency',
          error: '$context.integrationErrorMessage',
        }),
      },
    });
  }

  /** `routeKeys` as API Gateway writes them, for example `GET /health`. `throttle`: of each of them, if not that of webhooks. */
  addRoutes(routeKeys: readonly string[], { lambda: target, node }: HubFunction, throttle?: Throttle): void {
    const { apiId } = this.api;
    const integration = this.#integrationOf(node.id, target);
    for (const routeKey of routeKeys) {
      const route = new apigateway.CfnRoute(this, `Route ${routeKey}`, {
        apiId,
        routeKey,
        target: `integrations/${integration.ref}`,
      });
      if (throttle === undefined) continue;
      // API Gateway refuses settings of a route that does not exist yet.
      this.#stage.addResourceDependency(route);
      this.#stage.routeSettings = {
        ...Object(this.#stage.routeSettings),
        [routeKey]: { ThrottlingRateLimit: throttle.rate, ThrottlingBurstLimit: throttle.burst },
      };
    }
  }

  /** How API Gateway invokes a function, which must allow it. */
  #integrationOf(id: string, target: lambda.IFunction): apigateway.CfnIntegration {
    const known = this.node.tryFindChild(`${id}Integration`);
    if (known instanceof apigateway.CfnIntegration) return known;
    const { apiId } = this.api;
    new lambda.CfnPermission(this, `${id}Permission`, {
      action: 'lambda:InvokeFunction',
      functionName: target.functionArn,
      principal: 'apigateway.amazonaws.com',
      sourceArn: Stack.of(this).formatArn({
        service: 'execute-api',
        resource: apiId,
        resourceName: '*/*',
      }),
    });
    return new apigateway.CfnIntegration(this, `${id}Integration`, {
      apiId,
      integrationType: 'AWS_PROXY',
      integrationUri: target.functionArn,
      payloadFormatVersion: '2.0',
    });
  }
}
