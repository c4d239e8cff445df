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

/** The HTTP API in front of the webhooks and the API. */
export class FrontDoor extends Construct {
  readonly api: apigateway.HttpApi;
  readonly accessLog: logs.LogGroup;
  /** The base of every public address; providers include it in their signatures. */
  readonly publicUrl: string;

  constructor(scope: Construct, id: string, hub: HubConfig) {
    super(scope, id);
    this.api = new apigateway.HttpApi(this, 'Api', {
      apiName: `tributary-${hub.name}`,
      createDefaultStage: false,
    });
    this.publicUrl = hub.publicUrl ?? this.api.apiEndpoint;
    this.accessLog = new logs.LogGroup(this, 'AccessLog', {
      retention: logs.RetentionDays.ONE_MONTH,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    new apigateway.CfnStage(this, 'Stage', {
      apiId: this.api.apiId,
      stageName: '$default',
      autoDeploy: true,
      defaultRouteSettings: { throttlingRateLimit: 1000, throttlingBurstLimit: 2000 },
      // Logs the route key and never the path, which may hold an identifier or a token.
      accessLogSettings: {
        destinationArn: this.accessLog.logGroupArn,
        format: JSON.stringify({
          time: '$context.requestTime',
          requestId: '$context.requestId',
          route: '$context.routeKey',
          status: '$context.status',
          latencyMs: '$context.responseLatency',
          integrationMs: '$context.integrationLatency',
          error: '$context.integrationErrorMessage',
        }),
      },
    });
  }

  /** `routeKeys` as API Gateway writes them, for example `GET /health`. */
  addRoutes(routeKeys: readonly string[], { lambda: target, node }: HubFunction): void {
    const { apiId } = this.api;
    const integration = new apigateway.CfnIntegration(this, `${node.id}Integration`, {
      apiId,
      integrationType: 'AWS_PROXY',
      integrationUri: target.functionArn,
      payloadFormatVersion: '2.0',
    });
    for (const routeKey of routeKeys)
      new apigateway.CfnRoute(this, `Route ${routeKey}`, {
        apiId,
        routeKey,
        target: `integrations/${integration.ref}`,
      });
    new lambda.CfnPermission(this, `${node.id}Permission`, {
      action: 'lambda:InvokeFunction',
      functionName: target.functionArn,
      principal: 'apigateway.amazonaws.com',
      sourceArn: Stack.of(this).formatArn({
        service: 'execute-api',
        resource: apiId,
        resourceName: '*/*',
      }),
    });
  }
}
