// Shows the routes. The address is relative, so that it also works behind a proxy with a prefix.
SwaggerUIBundle({
  url: new URL("openapi.json", document.baseURI).href,
  dom_id: "#reference",
  deepLinking: true,
  displayRequestDuration: true,
  // Would ask a server of others whether the schema is valid.
  validatorUrl: null,
  presets: [SwaggerUIBundle.presets.apis],
});
